"""Devices, groups and the order of the training rows."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from sources.schema import GROUPS
from sources.synthetic import generate

REAL_COUNTS = (5050, 4190, 3118, 4628, 5561, 4194, 7488, 9605, 5445, 7309, 9476, 8581)


def first_table(leak: bool) -> pl.DataFrame:
    return next(generate(1.0, seed=0, leak=leak))[1]


def share_of_equal_neighbours(train: pl.DataFrame) -> float:
    return float((train["group"] == train["group"].shift()).mean())


def test_device_ids_fill_the_signed_64_bit_range(full):
    ids = pl.concat([full["gender_age_train"]["device_id"], full["gender_age_test"]["device_id"]]).to_numpy()
    assert len(np.unique(ids)) == 186_716
    assert (ids < 0).mean() == pytest.approx(0.5, abs=0.01)
    assert (np.abs(ids.astype(float)) > 2**53).mean() == pytest.approx(0.999, abs=0.0005)
    assert (ids.astype(float).astype(object) != ids).mean() > 0.99, "a pass through float would go unnoticed"


def test_groups_have_their_real_counts(full):
    counts = dict(full["gender_age_train"]["group"].value_counts().iter_rows())
    assert tuple(counts[group] for group in GROUPS) == REAL_COUNTS


def test_every_group_is_there_at_the_smallest_scale(tables):
    counts = tables["gender_age_train"]["group"].value_counts()
    assert set(counts["group"]) == set(GROUPS)
    assert counts["count"].min() >= 3


def test_gender_and_age_agree_with_the_group(full):
    for group, gender, youngest, eldest in (
        full["gender_age_train"]
        .group_by("group")
        .agg(pl.col("gender").unique().str.join(), pl.col("age").min().alias("least"), pl.col("age").max())
        .iter_rows()
    ):
        bounds = group[1:].rstrip("+-").split("-")
        assert gender == group[0]
        assert youngest >= 10 if group.endswith("-") else youngest == int(bounds[0])
        assert eldest <= 100 if group.endswith("+") else eldest == int(bounds[-1])


def test_rows_are_in_no_order_unless_the_leak_is_asked_for():
    assert share_of_equal_neighbours(first_table(leak=False)) == pytest.approx(0.09, abs=0.004)
    assert share_of_equal_neighbours(first_table(leak=True)) == pytest.approx(0.22, abs=0.005)


def test_the_leak_changes_the_order_and_nothing_else():
    plain, leaking = dict(generate(0.01, 7)), dict(generate(0.01, 7, leak=True))
    for name in plain:
        if name == "gender_age_train":
            assert not plain[name].equals(leaking[name])
            assert plain[name].sort("device_id").equals(leaking[name].sort("device_id"))
        else:
            assert plain[name].equals(leaking[name])
