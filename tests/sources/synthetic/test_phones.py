"""Brands, models and the devices that are listed twice."""

from __future__ import annotations

import polars as pl
import pytest

PHONES = "phone_brand_device_model"


def test_brands_and_models_are_as_many_as_in_the_real_file(full):
    phones = full[PHONES]
    brands = phones["phone_brand"].value_counts(sort=True)
    assert brands.height == 131
    assert brands["count"].head(9).sum() / phones.height == pytest.approx(0.90, abs=0.01)
    assert phones["device_model"].n_unique() == pytest.approx(1600, rel=0.03)


def test_a_model_name_may_stand_under_several_brands(tables):
    brands = tables[PHONES].group_by("device_model").agg(pl.col("phone_brand").n_unique())
    assert brands["phone_brand"].max() > 1


def test_names_are_chinese_and_latin(tables):
    brands = tables[PHONES]["phone_brand"].unique()
    assert brands.str.contains(r"\p{Han}").any()
    assert brands.str.contains(r"^[A-Za-z]+$").any()


def test_everyone_has_a_phone_and_some_have_two_rows(full):
    listed = (
        full[PHONES]
        .group_by("device_id")
        .agg(pl.len(), pl.struct("phone_brand", "device_model").n_unique().alias("kinds"))
    )
    people = pl.concat([full["gender_age_train"]["device_id"], full["gender_age_test"]["device_id"]])
    assert set(listed["device_id"]) == set(people)
    assert dict(listed["len"].value_counts().iter_rows()) == {1: 186_716 - 529, 2: 529}
    assert listed.filter(pl.col("kinds") > 1).height == 6


def test_a_conflict_is_there_at_any_scale(tables):
    distinct = tables[PHONES].unique()
    assert distinct.height > distinct["device_id"].n_unique()
