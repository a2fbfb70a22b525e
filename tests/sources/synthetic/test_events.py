"""Who was seen, how often, when and where."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest


def test_devices_with_events_are_as_many_as_in_the_real_file(full):
    active = set(full["events"]["device_id"])
    train, test = set(full["gender_age_train"]["device_id"]), set(full["gender_age_test"]["device_id"])
    assert len(active) == 60_865
    assert len(active & train) / len(train) == pytest.approx(0.31, abs=0.005)
    assert active - train - test, "some devices belong to neither list"


def test_events_per_device_have_a_long_tail(full):
    counts = full["events"]["device_id"].value_counts()["count"]
    assert counts.mean() == pytest.approx(53, abs=1)
    assert counts.median() < 20
    assert counts.max() > 5000


def test_event_ids_ascend_from_one(tables):
    ids = tables["events"]["event_id"]
    assert ids.equals(pl.int_range(1, len(ids) + 1, dtype=pl.Int64, eager=True).alias("event_id"))


def test_time_is_the_first_week_of_may_2016_and_a_little_more(full):
    days = dict(full["events"]["timestamp"].dt.date().value_counts().iter_rows())
    eve, after = date(2016, 4, 30), date(2016, 5, 8)
    assert set(days) == {eve, *(date(2016, 5, day) for day in range(1, 9))}
    assert max(days[eve], days[after]) < 100
    week = [count for day, count in days.items() if day not in (eve, after)]
    assert min(week) > 0.8 * max(week)


def test_both_odd_days_are_there_at_any_scale(tables):
    days = set(tables["events"]["timestamp"].dt.date())
    assert {date(2016, 4, 30), date(2016, 5, 8)} <= days


def test_days_peak_in_the_morning_and_in_the_evening(full):
    hours = dict(full["events"]["timestamp"].dt.hour().value_counts().iter_rows())
    peaks = [hour for hour in range(24) if hours[hour] > max(hours[(hour - 1) % 24], hours[(hour + 1) % 24])]
    assert peaks == [10, 21]


def test_a_share_of_events_is_nowhere(tables):
    nowhere = (tables["events"]["longitude"] == 0) & (tables["events"]["latitude"] == 0)
    assert nowhere.mean() == pytest.approx(0.298, abs=0.001)


def test_the_other_events_are_in_china_to_a_hundredth_of_a_degree(full):
    place = full["events"].select("longitude", "latitude").filter(pl.any_horizontal(pl.all() != 0))
    assert place.select(pl.all() == pl.all().round(2)).to_numpy().all()
    assert place["longitude"].is_between(73, 135).mean() > 0.999
    assert place["latitude"].is_between(18, 54).mean() > 0.999
