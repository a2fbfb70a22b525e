"""What cannot but fail is said before the first fit, in one line; what scikit-learn's GridSearchCV runs is run."""

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

import tuning
from entrypoints.data.own import own_rows
from entrypoints.parameters import SweepParams
from errors import SpecError

ROWS = 120
DRAW = np.random.default_rng(0)
WHICH = np.arange(ROWS) % 2
NUMBER = np.round(DRAW.normal(size=ROWS) + WHICH, 3)
BASE = {"scoring": "neg_log_loss", "cv": {"folds": 3, "seed": 0}}
BOOSTED = {**BASE, "estimator": "xgboost.XGBClassifier", "fixed": {"n_estimators": 3}, "grid": {"max_depth": [1, 2]}}
HISTOGRAMS = {
    **BASE,
    "estimator": "sklearn.ensemble.HistGradientBoostingClassifier",
    "fixed": {"max_iter": 3},
    "grid": {"max_depth": [1, 2]},
}
FORESTS = {"model__n_estimators": 3, "model__random_state": 0}


def encoded(encoder: str, **fixed: object) -> dict:
    """A spec whose steps begin with an encoder."""
    steps = [{"enc": f"sklearn.preprocessing.{encoder}"}, {"model": "sklearn.ensemble.RandomForestClassifier"}]
    fixed = {**FORESTS, **{f"enc__{name}": value for name, value in fixed.items()}}
    return {**BASE, "estimator": steps, "fixed": fixed, "grid": {"model__max_depth": [1, 2]}}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def rows_of(asked: dict, holdout: float = 0.0, **columns: object):
    pd.DataFrame({"y": WHICH, **columns}).to_parquet("t.parquet", index=False)
    return own_rows(SweepParams(features="t.parquet", target="y", holdout=holdout), tuning.SweepSpec(**asked))


def refused(asked: dict, holdout: float = 0.0, **columns: object) -> str:
    with pytest.raises(SpecError) as refusal:
        rows_of(asked, holdout, **columns)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def equals_grid_search(asked: dict, peer, **columns: object) -> bool:
    """Whether every split score is that of GridSearchCV, whose failures raise."""
    spec, rows = rows_of(asked, **columns)
    with tuning.open_engine("local", 1) as engine:
        ours = tuning.sweep(spec, rows.train, engine)
    assert not ours.failed
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    search = GridSearchCV(peer, dict(spec.grid), scoring=spec.scoring, cv=folds, refit=False, error_score="raise")
    search.fit(rows.train.X, WHICH)
    theirs = np.array([search.cv_results_[f"split{fold}_test_score"] for fold in range(3)]).T
    return np.allclose(ours.split_scores(), theirs, atol=1e-6)


def fails_in_grid_search(peer, X: pd.DataFrame, scoring: str = "neg_log_loss") -> bool:
    """Whether GridSearchCV has no candidate with a score on every fold either."""
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    search = GridSearchCV(clone(peer), {}, scoring=scoring, cv=folds, refit=False)
    try:
        search.fit(X, WHICH)
    except ValueError:
        return True
    return bool(np.isnan(search.cv_results_["mean_test_score"]).all())


# --- categories -------------------------------------------------------------------------------------------------------


def shops(count: int) -> pd.Categorical:
    return pd.Categorical([f"s{row % count}" for row in range(ROWS)])


def test_too_many_categories_for_histograms_are_named():
    asked = {**HISTOGRAMS, "fixed": {"max_iter": 3, "max_bins": 20}}
    assert refused(asked, shop=shops(30)) == (
        "column 'shop' has 30 categories, and HistGradientBoostingClassifier takes 20 at most (max_bins). Leave it "
        "out, join the rare ones, or choose XGBoost."
    )
    peer = HistGradientBoostingClassifier(max_iter=3, max_bins=20)
    assert fails_in_grid_search(peer, pd.DataFrame({"shop": shops(30)}))


@pytest.mark.parametrize(
    ("fixed", "count"), [({"max_bins": 20}, 20), ({}, 100), ({"max_bins": 20, "categorical_features": None}, 15)]
)
def test_as_many_as_histograms_take_are_taken(fixed, count):
    if "categorical_features" in fixed:
        _, rows = rows_of({**HISTOGRAMS, "fixed": {"max_iter": 3, **fixed}}, shop=shops(count))
        assert len(rows.train.X) == ROWS
        return
    peer = HistGradientBoostingClassifier(max_iter=3, **fixed)
    assert equals_grid_search({**HISTOGRAMS, "fixed": {"max_iter": 3, **fixed}}, peer, shop=shops(count), a=NUMBER)


@pytest.mark.parametrize(
    ("kind", "cure"),
    [
        ("OrdinalEncoder", "enc__handle_unknown: use_encoded_value and enc__unknown_value: -1"),
        ("OneHotEncoder", "enc__handle_unknown: ignore"),
    ],
)
def test_values_that_an_encoder_would_meet_in_a_test_fold_are_named(kind, cure):
    said = refused(encoded(kind), city=shops(4), once=["rare", *["often"] * (ROWS - 1)])
    assert said.startswith("column 'once': fold ")
    assert said.endswith(
        f"is judged on 1 value (such as 'rare') that its training rows lack, and {kind}, which encodes every column, "
        f"would fail. Set {cure}, or leave the column out."
    )
    peer = Pipeline([("enc", {"OrdinalEncoder": OrdinalEncoder, "OneHotEncoder": OneHotEncoder}[kind]())])
    peer.steps.append(("model", RandomForestClassifier(n_estimators=3)))
    assert fails_in_grid_search(peer, pd.DataFrame({"once": ["rare", *["often"] * (ROWS - 1)]}))


def test_gaps_are_a_value_to_an_encoder():
    assert "'nan'" in refused(encoded("OrdinalEncoder"), once=[None, *["often"] * (ROWS - 1)])


def test_values_that_only_the_holdout_has_are_named():
    _, rows = rows_of(BOOSTED, holdout=0.2, row=np.arange(ROWS))
    names = np.full(ROWS, "often", dtype=object)
    names[rows.holdout.X["row"].iloc[0]] = "rare"
    said = refused(encoded("OrdinalEncoder"), holdout=0.2, once=names)
    assert said.startswith("column 'once': the hold-out is judged on 1 value (such as 'rare')")


@pytest.mark.parametrize(
    ("asked", "encoder"),
    [
        (encoded("OrdinalEncoder"), OrdinalEncoder()),
        (
            encoded("OrdinalEncoder", handle_unknown="use_encoded_value", unknown_value=-1),
            OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
        ),
        (encoded("OneHotEncoder", handle_unknown="ignore"), OneHotEncoder(handle_unknown="ignore")),
    ],
    ids=["nothing unknown", "ordinal with a code", "one-hot that ignores"],
)
def test_encoders_that_can_do_it_are_run(asked, encoder):
    once = {} if encoder.handle_unknown == "error" else {"once": ["rare", *["often"] * (ROWS - 1)]}
    peer = Pipeline([("enc", encoder), ("model", RandomForestClassifier(n_estimators=3, random_state=0))])
    assert equals_grid_search(asked, peer, city=shops(4), **once)


# --- columns without values -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("empty", [np.full(ROWS, np.nan), [None] * ROWS], ids=["numbers", "text"])
def test_a_column_without_a_value_is_run_where_it_can_be(empty):
    peer = xgboost.XGBClassifier(n_estimators=3, n_jobs=1)
    assert equals_grid_search(BOOSTED, peer, a=NUMBER, e=empty)


def test_a_column_without_a_value_is_named_where_it_cannot_be():
    assert refused(HISTOGRAMS, a=NUMBER, e=np.full(ROWS, np.nan)) == (
        "column 'e' has no value in the training rows of fold 0, which HistGradientBoostingClassifier does not take. "
        "Leave the column out."
    )
    peer = HistGradientBoostingClassifier(max_iter=3)
    assert fails_in_grid_search(peer, pd.DataFrame({"a": NUMBER, "e": np.full(ROWS, np.nan)}))
    logistic = {**BASE, "estimator": "sklearn.linear_model.LogisticRegression", "grid": {"C": [1.0]}}
    assert refused(logistic, a=NUMBER, e=np.full(ROWS, np.nan)).startswith("column 'e' has missing values, which Logis")


def test_a_column_with_one_value_fails_only_in_the_fold_that_tests_it():
    lone = np.full(ROWS, np.nan)
    lone[0] = 1.0
    assert refused(HISTOGRAMS, a=NUMBER, e=lone).startswith("column 'e' has no value in the training rows of fold ")


# --- objectives and scorers -------------------------------------------------------------------------------------------


def test_an_objective_for_numbers_makes_no_probabilities():
    fixed = {"n_estimators": 3, "objective": "reg:squarederror"}
    assert refused({**BOOSTED, "fixed": fixed}, a=NUMBER) == (
        "objective: reg:squarederror predicts numbers and not the probabilities that neg_log_loss judges. Leave it out "
        "of the spec, XGBClassifier chooses by itself; or take xgboost.XGBRegressor and a scorer of numbers."
    )


@pytest.mark.parametrize(
    ("objective", "scoring"),
    [("reg:squarederror", "accuracy"), ("reg:squarederror", "roc_auc"), ("reg:logistic", "neg_log_loss")],
)
def test_it_is_run_where_scores_do_as_well(objective, scoring):
    fixed = {"n_estimators": 3, "objective": objective}
    peer = xgboost.XGBClassifier(n_estimators=3, objective=objective, n_jobs=1)
    assert equals_grid_search({**BOOSTED, "fixed": fixed, "scoring": scoring}, peer, a=NUMBER)


def test_a_step_of_ones_own_name_has_objectives_too():
    steps = [{"scale": "sklearn.preprocessing.StandardScaler"}, {"boost": "xgboost.XGBClassifier"}]
    fixed = {"boost__n_estimators": 3, "boost__objective": "reg:squarederror"}
    asked = {**BOOSTED, "estimator": steps, "fixed": fixed, "grid": {"boost__max_depth": [1]}}
    assert refused(asked, a=NUMBER).startswith("objective: reg:squarederror predicts numbers")


# --- the hold-out -----------------------------------------------------------------------------------------------------

RARE = np.array(["x"] * 70 + ["y"] * 46 + ["z"] * 4)


def test_a_class_that_the_holdout_lacks_is_named_where_the_scorer_needs_it():
    assert refused(BOOSTED, holdout=0.1, y=RARE, a=NUMBER) == (
        "holdout: class 'z' has 4 rows and none of them among the 12 held out, which neg_log_loss cannot judge then. "
        "Use a larger share (-P holdout), more rows of it, or -P holdout=0."
    )


@pytest.mark.parametrize(("scoring", "holdout"), [("accuracy", 0.1), ("neg_log_loss", 0.3), ("neg_log_loss", 0.0)])
def test_it_is_no_hindrance_where_it_is_not_needed(scoring, holdout):
    asked = {**BOOSTED, "scoring": scoring, "cv": {"folds": 2}}
    _, rows = rows_of(asked, holdout=holdout, y=RARE, a=NUMBER)
    assert rows.train.n_rows + (rows.holdout.n_rows if rows.holdout else 0) == ROWS


def test_a_regressors_target_of_numbers_needs_no_class():
    asked = {**BOOSTED, "estimator": "xgboost.XGBRegressor", "scoring": "r2"}
    assert rows_of(asked, holdout=0.1, y=NUMBER, a=WHICH)[1].holdout.n_rows == 12


def test_a_logistic_regression_is_run_on_text_as_columns():
    peer = LogisticRegression()
    asked = {**BASE, "estimator": "sklearn.linear_model.LogisticRegression", "grid": {"C": [0.1, 1.0]}}
    assert equals_grid_search(asked, peer, city=shops(4), a=NUMBER)
