import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse as sp

from features import FEATURE_SETS, build
from features.featurizer import Featurizer
from sources.synthetic import generate


@pytest.fixture(scope="module")
def tables():
    return {name: table.lazy() for name, table in generate(scale=0.003, seed=3)}


@pytest.fixture(scope="module")
def matrix(tables):
    return build(tables, FEATURE_SETS)


@pytest.fixture(scope="module")
def featurizer(matrix, tables, tmp_path_factory):
    """A featurizer that has been on disk, as in a model."""
    folder = tmp_path_factory.mktemp("featurizer")
    Featurizer.of(matrix, tables).save(folder)
    return Featurizer.load(folder)


def as_sent(tables, devices) -> pd.DataFrame:
    """The devices as a caller has them, made with plain Python loops."""
    phones, events, apps = {}, {}, {}
    for device, brand, model in tables["phone_brand_device_model"].collect().iter_rows():
        phones.setdefault(device, (brand, model))
    for event, app, *_ in tables["app_events"].collect().iter_rows():
        apps.setdefault(event, []).append(app)
    for event, device, time, *_ in tables["events"].collect().iter_rows():
        events.setdefault(device, []).append({"timestamp": str(time), "apps": apps.get(event, [])})
    rows = [(*phones.get(device, (None, None)), events.get(device, [])) for device in devices]
    return pd.DataFrame(rows, columns=["phone_brand", "device_model", "events"])


def assert_same_bits(one: sp.csr_matrix, other: sp.csr_matrix) -> None:
    assert one.shape == other.shape
    for part in ("data", "indices", "indptr"):
        mine, theirs = getattr(one, part), getattr(other, part)
        np.testing.assert_array_equal(mine, theirs)
    assert one.dtype == other.dtype == np.float32


def test_a_device_sent_to_the_model_has_the_row_that_it_had_in_training_to_the_bit(featurizer, matrix, tables):
    sent = as_sent(tables, matrix.rows["device_id"])
    assert_same_bits(featurizer.transform_raw(sent), matrix.X)


def test_it_does_not_matter_who_else_is_sent(featurizer, matrix, tables):
    picked = [17, 3, 90, 42]
    sent = as_sent(tables, matrix.rows["device_id"][picked])
    assert_same_bits(featurizer.transform_raw(sent), matrix.X[picked])
    assert_same_bits(featurizer.transform_raw(sent.iloc[2:3]), matrix.X[[90]])


def test_devices_of_the_tables_get_the_rows_that_they_had_in_training(featurizer, matrix, tables):
    some = matrix.rows["device_id"][5:60]
    assert_same_bits(featurizer.transform(some, tables), matrix.X[5:60])


def test_labels_are_those_of_training_whatever_the_tables_say_now(featurizer, matrix, tables):
    relabelled = tables | {"app_labels": tables["app_labels"].with_columns(label_id=pl.lit(1, pl.Int64))}
    assert_same_bits(featurizer.transform(matrix.rows["device_id"], relabelled), matrix.X)


def test_the_unknown_has_no_column_but_its_events_count(featurizer, matrix):
    known = next(name for name in matrix.columns["name"] if name.startswith("app=")).removeprefix("app=")
    noon = "2016-05-02 12:00:00"
    sent = pd.DataFrame(
        {
            "phone_brand": ["Nonesuch", None],
            "device_model": ["N1", None],
            "events": [[{"timestamp": noon, "apps": [123456789]}, {"timestamp": noon, "apps": [int(known)]}], []],
        }
    )
    unknown, empty = featurizer.transform_raw(sent).toarray()
    has = dict(zip(matrix.columns["name"], unknown.tolist(), strict=True))
    assert has[f"app={known}"] == 0.5
    assert has["weekday=0"] == 1
    assert not any(value for name, value in has.items() if name.startswith(("brand=", "model=")))
    assert not empty.any()


def test_an_empty_batch_has_all_the_columns(featurizer, matrix):
    assert featurizer.transform_raw(pd.DataFrame({"phone_brand": []})).shape == (0, matrix.X.shape[1])


def test_a_hundred_thousand_rows_at_once(featurizer, matrix, tables):
    sent = as_sent(tables, matrix.rows["device_id"])
    repeats = 100_000 // len(sent) + 1
    many = pd.concat([sent[["phone_brand", "device_model"]]] * repeats, ignore_index=True)
    many["events"] = list(sent["events"]) + [None] * (len(many) - len(sent))
    X = featurizer.transform_raw(many)
    assert X.shape[0] == len(many) >= 100_000
    assert_same_bits(X[: len(sent)], matrix.X)


@pytest.mark.parametrize("sets", [("brand_model",), ("weekday_hour",), ("one_hot_category",)])
def test_only_the_sets_of_training_are_made(tables, sets):
    matrix = build(tables, sets, holdout=0)
    sent = as_sent(tables, matrix.rows["device_id"])
    assert_same_bits(Featurizer.of(matrix, tables).transform_raw(sent), matrix.X)
