"""Apps: which events list them, and what the labels say of them."""

from __future__ import annotations

import pytest


def test_a_share_of_events_has_app_rows(tables):
    events = tables["app_events"]["event_id"]
    assert events.n_unique() / tables["events"].height == pytest.approx(0.457, abs=0.001)
    assert len(events) / events.n_unique() == pytest.approx(21.8, rel=0.01)
    assert events.is_in(tables["events"]["event_id"].implode()).all()


def test_rows_are_grouped_by_ascending_event_and_list_an_app_once(tables):
    rows = tables["app_events"]
    assert rows["event_id"].is_sorted()
    assert not rows.select("event_id", "app_id").is_duplicated().any()


def test_every_app_is_installed_and_some_are_active(tables):
    assert set(tables["app_events"]["is_installed"]) == {1}
    assert tables["app_events"]["is_active"].mean() == pytest.approx(0.39, abs=0.01)


def test_app_ids_fill_the_signed_64_bit_range(tables):
    ids = tables["app_labels"]["app_id"].unique()
    assert (ids < 0).mean() == pytest.approx(0.5, abs=0.01)
    assert ((ids > 2**53) | (ids < -(2**53))).mean() == pytest.approx(0.999, abs=0.0005)


def test_labels_know_more_apps_than_are_seen_but_not_all_of_those(tables):
    seen, labelled = set(tables["app_events"]["app_id"]), set(tables["app_labels"]["app_id"])
    assert len(labelled) == 113_211
    assert len(seen) < 19_237
    assert 0 < len(seen - labelled) < 0.03 * len(seen)


def test_popular_apps_have_more_labels(tables):
    labels = tables["app_labels"]["app_id"].value_counts(name="labels")
    seen = tables["app_events"]["app_id"].value_counts(sort=True).join(labels, on="app_id", maintain_order="left")
    assert labels["labels"].mean() == pytest.approx(4.06, abs=0.01)
    assert seen["labels"].head(100).mean() > 1.2 * labels["labels"].mean()
    assert not tables["app_labels"].is_duplicated().any()


def test_categories_repeat_and_some_are_empty(tables):
    names = tables["label_categories"]["category"]
    assert names.drop_nulls().n_unique() == names.drop_nulls().str.strip_chars().str.to_lowercase().n_unique() == 836
    assert names.null_count() > 0
    assert tables["label_categories"]["label_id"].n_unique() == 930


def test_half_of_the_labels_are_used(tables):
    used = tables["app_labels"]["label_id"].unique()
    assert len(used) == 507
    assert used.is_in(tables["label_categories"]["label_id"].implode()).all()


def test_a_few_apps_are_on_most_devices_and_most_apps_on_few(tables):
    owner = tables["events"].select("event_id", "device_id")
    pairs = tables["app_events"].join(owner, on="event_id").select("device_id", "app_id").unique()
    owners = pairs["app_id"].value_counts(sort=True)["count"] / pairs["device_id"].n_unique()
    assert owners[0] > 0.5
    assert owners.median() < 0.05
