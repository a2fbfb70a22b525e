from datetime import datetime
from functools import partial

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import features
from errors import GridfoldError
from features import FEATURE_SETS, FeatureMatrix, build, features_fingerprint
from features.shares import event_shares
from sources.schema import GROUPS
from sources.synthetic import generate
from tests.features.pandas_oracle import pandas_features
from tests.features.small_tables import tables

Tables = dict[str, pl.LazyFrame]


def oracle(given_tables: Tables, sets=FEATURE_SETS) -> tuple[sp.csr_matrix, list[str], list[str]]:
    frames = {name: table.collect().to_pandas() for name, table in given_tables.items()}
    X, columns = pandas_features(frames, sets)
    return X, list(columns["name"]), list(columns["set"])


def assert_as_the_oracle(matrix: FeatureMatrix, given_tables: Tables, sets=FEATURE_SETS) -> None:
    X, names, of_set = oracle(given_tables, sets)
    assert matrix.columns["name"].to_list() == names
    assert matrix.columns["set"].to_list() == of_set
    assert matrix.X.shape == X.shape
    assert (matrix.X != X).nnz == 0


ANNA, BERT, CARL = -(2**63), 2**53 + 1, 2**53
WORKED = tables(
    train=[(BERT, "M39+"), (ANNA, "F23-"), (CARL, "F23-")],
    phones=[(BERT, "vivo", "X5"), (ANNA, "vivo", "X3"), (BERT, "HTC", "M8")],
    events=[
        (9, ANNA, datetime(2016, 5, 1, 10)),  # a Sunday
        (-4, ANNA, datetime(2016, 5, 2, 10)),
        (7, BERT, datetime(2016, 5, 2, 21)),
        (3, 77, datetime(2016, 5, 2, 21)),
    ],
    app_events=[(9, -5), (9, 6), (-4, 6), (3, 6), (7, 8), (1000, 8)],
    app_labels=[(-5, 1), (6, 1), (6, 2), (8, 4)],
    label_categories=[(1, "Games"), (2, " GAMES"), (4, None)],
)


def test_a_hand_worked_case():
    matrix = build(WORKED, holdout=0)
    assert matrix.rows["device_id"].to_list() == [BERT, ANNA, CARL]
    assert matrix.rows["label"].to_list() == ["M39+", "F23-", "F23-"]
    bert, anna, carl = (dict(zip(matrix.columns["name"], row, strict=True)) for row in matrix.X.toarray().tolist())
    assert {name: value for name, value in bert.items() if value} == {
        "brand=vivo": 1,
        "model=vivo X5": 1,
        "weekday=0": 1,
        "hour=21": 1,
        "weekday_hour=0_21": 1,
        "app=8": 1,
        "label=4": 1,
    }
    assert {name: value for name, value in anna.items() if value} == {
        "brand=vivo": 1,
        "model=vivo X3": 1,
        "weekday=0": 0.5,
        "weekday=6": 0.5,
        "hour=10": 1,
        "weekday_hour=0_10": 0.5,
        "weekday_hour=6_10": 0.5,
        "app=-5": 0.5,
        "app=6": 1,
        "label=1": 1,
        "label=2": 1,
        "category=games": 1,
        "uses_category=games": 1,
    }
    assert not any(carl.values())


def test_columns_come_set_by_set_and_within_a_set_in_the_order_of_ids_and_names():
    assert build(WORKED, holdout=0).columns.rows() == [
        *((name, "brand_model") for name in ("brand=vivo", "model=vivo X3", "model=vivo X5")),
        *((name, "weekday_hour") for name in ("weekday=0", "weekday=6", "hour=10", "hour=21")),
        *((f"weekday_hour={when}", "weekday_hour") for when in ("0_10", "0_21", "6_10")),
        *((name, "app_labels") for name in ("app=-5", "app=6", "app=8", "label=1", "label=2", "label=4")),
        ("category=games", "text_category"),
        ("uses_category=games", "one_hot_category"),
    ]


IDS = st.sampled_from([-(2**63), -(2**53) - 1, -(2**53), -1, 0, 1, 2**53, 2**53 + 1, 2**63 - 1])
FEW = st.integers(0, 3)
MOMENTS = st.sampled_from(
    [
        datetime(2016, 4, 30, 23, 59, 59),
        datetime(2016, 5, 1),
        datetime(2016, 5, 2, 10, 30),
        datetime(2016, 5, 8, 0, 0, 1),
    ]
)
BRANDS, MODELS = st.sampled_from(["a", "a b", "华为"]), st.sampled_from(["c", "b c", ""])
CATEGORIES = st.sampled_from([None, "", " ", "Games", " games ", "GAMES", "Büro", "büro", "x y"])


@st.composite
def any_tables(draw: st.DrawFn) -> Tables:
    """Draw tables with repeated rows, unknown ids, gaps and any order; each device has one group, and there are two."""
    group_of = {device: GROUPS[place % 2] for place, device in enumerate(draw(st.lists(IDS, min_size=2, unique=True)))}
    again = draw(st.lists(st.sampled_from(list(group_of)), max_size=3))

    def rows(*cells):
        return draw(st.lists(st.tuples(*cells), max_size=14))

    return tables(
        train=[*group_of.items(), *((device, group_of[device]) for device in again)],
        phones=rows(IDS, BRANDS, MODELS),
        events=rows(IDS, IDS, MOMENTS),
        app_events=rows(IDS, IDS),
        app_labels=rows(IDS, FEW),
        label_categories=rows(FEW, CATEGORIES),
    )


@settings(max_examples=100, deadline=None)
@given(given_tables=any_tables())
def test_any_tables_give_what_plain_pandas_gives(given_tables):
    assert_as_the_oracle(build(given_tables, holdout=0), given_tables)


@pytest.fixture(scope="module")
def synthetic() -> Tables:
    return {name: table.lazy() for name, table in generate(0.005, 1, False)}


@pytest.mark.parametrize("sets", [FEATURE_SETS, FEATURE_SETS[:4], *((name,) for name in FEATURE_SETS)])
def test_synthetic_data_gives_what_plain_pandas_gives_whatever_is_asked_for(synthetic, sets):
    assert_as_the_oracle(build(synthetic, sets, holdout=0), synthetic, sets)


def test_neither_the_size_of_the_blocks_nor_the_order_of_rows_changes_anything(synthetic, monkeypatch):
    whole = build(synthetic)
    ordered = ("gender_age_train", "phone_brand_device_model", "events")  # of these the first of two rows counts
    shuffled = {
        name: table if name in ordered else table.collect().sample(fraction=1, shuffle=True, seed=5).lazy()
        for name, table in synthetic.items()
    }
    for module in ("features.app_sets", "features.time_sets"):
        monkeypatch.setattr(f"{module}.event_shares", partial(event_shares, block_items=1))
    again = build(shuffled)
    assert again.columns.equals(whole.columns)
    assert again.rows.equals(whole.rows)
    for part in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(again.X, part), getattr(whole.X, part))


def test_values_are_float32_in_0_to_1_and_no_column_is_empty(synthetic):
    X = build(synthetic).X
    assert X.dtype == np.float32
    assert X.has_canonical_format
    assert (X.data > 0).all()
    assert (X.data <= 1).all()
    assert (X.getnnz(axis=0) > 0).all()


def test_the_holdout_is_stratified_and_chosen_by_the_seed(synthetic):
    first, again, other = (build(synthetic, ["brand_model"], holdout=0.2, seed=seed) for seed in (1, 1, 2))
    assert first.rows.equals(again.rows)
    assert not first.rows.equals(other.rows)
    share = first.rows.group_by("label").agg((pl.col("split") == "holdout").mean())["split"]
    assert share.is_between(0.1, 0.3).all()
    assert first.rows["device_id"].equals(synthetic["gender_age_train"].collect()["device_id"])


def test_the_manifest_says_what_was_asked_counted_and_used(synthetic):
    matrix = build(synthetic, ["brand_model", "weekday_hour"], holdout=0.1, seed=4, fingerprint="abc")
    manifest = matrix.manifest
    asked = {name: manifest[name] for name in ("fingerprint", "feature_sets", "holdout", "seed")}
    assert asked == {
        "fingerprint": "abc",
        "feature_sets": ["brand_model", "weekday_hour"],
        "holdout": 0.1,
        "seed": 4,
    }
    counts = manifest["counts"]
    assert (counts["rows"], counts["columns"], counts["values"]) == (*matrix.X.shape, matrix.X.nnz)
    assert (counts["train"], counts["holdout"]) == (len(matrix.train_rows), len(matrix.holdout_rows))
    assert sum(counts["columns_of_set"].values()) == counts["columns"]
    assert manifest["versions"]["polars"] == pl.__version__


def test_progress_names_each_stage(synthetic):
    stages: list[str] = []
    build(synthetic, holdout=0, progress=stages.append)
    assert [stage.split(":")[0] for stage in stages] == ["Phones", "Events", "App events", "Joining the feature sets"]


def test_an_impossible_holdout_is_told_before_anything_is_read():
    with pytest.raises(GridfoldError, match=r"^holdout: 1 is not a share"):
        build({}, holdout=1)


FINGERPRINT = {"tables_fingerprint": "t", "feature_sets": ("brand_model",), "holdout": 0.1, "seed": 0}


@pytest.mark.parametrize(
    "change",
    [{"tables_fingerprint": "u"}, {"feature_sets": ("app_labels",)}, {"holdout": 0.2}, {"seed": 1}, {"min_devices": 2}],
    ids=lambda change: next(iter(change)),
)
def test_the_fingerprint_stands_for_all_that_the_matrix_depends_on(change):
    assert features_fingerprint(**FINGERPRINT) == features_fingerprint(**FINGERPRINT)
    assert features_fingerprint(**FINGERPRINT | change) != features_fingerprint(**FINGERPRINT)


def test_the_fingerprint_changes_with_the_code_of_this_room(tmp_path, monkeypatch):
    before = features_fingerprint(**FINGERPRINT)
    (tmp_path / "new.py").write_text("")
    monkeypatch.setattr(features, "__path__", [*features.__path__, str(tmp_path)])
    assert features_fingerprint(**FINGERPRINT) != before


def test_features_that_few_devices_have_can_be_left_out_counting_only_devices_that_a_sweep_sees(synthetic):
    whole = build(synthetic, holdout=0.3)
    pruned = build(synthetic, holdout=0.3, min_devices=5)
    counts = (whole.X[whole.train_rows] != 0).sum(axis=0).A1
    kept = np.flatnonzero(counts >= 5)
    assert 0 < len(kept) < whole.X.shape[1]
    assert pruned.columns["name"].to_list() == [whole.columns["name"][int(place)] for place in kept]
    assert (whole.X[:, kept] != pruned.X).nnz == 0


def test_when_no_feature_is_left_the_number_is_named(synthetic):
    with pytest.raises(GridfoldError, match=r"min_devices: no feature is found in 100000 devices or more"):
        build(synthetic, holdout=0, min_devices=100_000)
