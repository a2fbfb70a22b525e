"""Pipelines share equal steps, and every score is still that of GridSearchCV's separate fits."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MaxAbsScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier

from tests.tuning.learners.searching import splits, theirs
from tuning import Dataset
from tuning.learners import learner_for

X, Y = make_classification(150, 12, n_informative=6, n_classes=3, random_state=0)


def rows(layout=np.asarray):
    return Dataset(layout(X), Y, np.array(["a", "b", "c"]))


def test_equal_steps_are_fitted_once_per_fold_and_scores_are_those_of_separate_fits():
    pipeline = Pipeline([("scale", StandardScaler()), ("model", LogisticRegression())])
    grid = [{"model__C": c} for c in (0.01, 0.1, 1.0)]
    table, shared = splits(pipeline, grid, rows())
    assert np.array_equal(table, theirs(pipeline, grid, rows()))
    assert set(shared.values()) == {"steps scale fitted once per fold"}


def test_a_pipeline_into_xgboost_shares_rounds_matrix_and_steps():
    pipeline = Pipeline([("scale", StandardScaler()), ("model", XGBClassifier(n_jobs=1, random_state=0))])
    grid = [{"model__n_estimators": n, "model__max_depth": d} for d in (2, 3) for n in (3, 9, 6)]
    coded = Dataset(X, Y, np.arange(3))
    table, shared = splits(pipeline, grid, coded, workers=2)
    assert np.abs(table - theirs(pipeline, grid, coded)).max() <= 1e-6
    assert all(
        "model__n_estimators" in words and "steps scale" in words and "matrix" in words for words in shared.values()
    )


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_steps_that_differ_are_fitted_for_each(workers):
    pipeline = Pipeline([("scale", StandardScaler()), ("pick", PCA(random_state=0)), ("model", LogisticRegression())])
    grid = [{"pick__n_components": n, "model__C": c} for n in (2, 5) for c in (0.1, 1.0)]
    table, _ = splits(pipeline, grid, rows(), workers=workers)
    assert np.array_equal(table, theirs(pipeline, grid, rows()))


def test_columns_chosen_by_score_are_scored_once_for_every_number_of_them(monkeypatch):
    pipeline = Pipeline([("pick", SelectKBest()), ("model", LogisticRegression())])
    grid = [{"pick__k": k} for k in (2, 5, "all")]
    table, _ = splits(pipeline, grid, rows())
    assert np.array_equal(table, theirs(pipeline, grid, rows()))


@pytest.mark.parametrize("layout", [np.asarray, sp.csr_matrix])
def test_steps_that_work_in_place_change_nobody_elses_rows(layout):
    pipeline = Pipeline([("scale", MaxAbsScaler(copy=False)), ("model", LogisticRegression())])
    grid = [{"model__C": c} for c in (0.01, 0.1, 1.0)]
    table, shared = splits(pipeline, grid, rows(layout))
    assert np.array_equal(table, theirs(pipeline, grid, rows(layout)))
    assert set(shared.values()) == {"fitted alone"}


def test_prunings_behind_a_step_that_works_in_place_are_fitted_one_by_one():
    pipeline = Pipeline([("scale", MaxAbsScaler(copy=False)), ("model", DecisionTreeClassifier(random_state=0))])
    grid = [{"model__ccp_alpha": alpha} for alpha in (0.0, 0.02, 0.1)]
    table, shared = splits(pipeline, grid, rows())
    assert np.array_equal(table, theirs(pipeline, grid, rows()))
    assert len(np.unique(table[:, 0])) == 3
    assert set(shared.values()) == {"fitted alone"}


class Doubling(TransformerMixin, BaseEstimator):
    """A step of a user's own that doubles its input where it stands."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        X *= 2
        return X


class Halving(Doubling):
    """One that leaves its input alone."""

    def transform(self, X):
        return X / 2


@pytest.mark.parametrize("layout", [np.asarray, sp.csr_matrix, pd.DataFrame])
@pytest.mark.parametrize(
    ("step", "said"), [(Doubling(), "fitted alone"), (Halving(), "steps step fitted once per fold")]
)
def test_a_step_of_ones_own_is_shared_unless_it_writes_into_its_input(step, said, layout):
    pipeline = Pipeline([("step", step), ("model", LogisticRegression())])
    grid = [{"model__C": c} for c in (0.01, 0.1, 1.0)]
    table, shared = splits(pipeline, grid, rows(layout))
    assert np.array_equal(table, theirs(pipeline, grid, rows(layout)))
    assert set(shared.values()) == {said}


def test_nothing_is_shared_before_a_last_step_that_does_nothing():
    pipeline = Pipeline([("one", StandardScaler()), ("other", MaxAbsScaler()), ("model", LogisticRegression())])
    assert len(learner_for(pipeline).preparation(pipeline)) == 2
    assert learner_for(pipeline).preparation(pipeline.set_params(model="passthrough")) == ()


def test_steps_without_a_seed_are_fitted_for_each_candidate():
    pipeline = Pipeline([("pick", PCA(svd_solver="randomized")), ("model", LogisticRegression())])
    _, shared = splits(pipeline, [{"model__C": 1.0}, {"model__C": 2.0}], rows())
    assert set(shared.values()) == {"fitted alone"}


def test_a_step_that_is_passed_over_and_one_that_fails_are_those_candidates_alone():
    pipeline = Pipeline([("scale", StandardScaler()), ("model", LogisticRegression())])
    grid = [{"scale": "passthrough"}, {"scale": "passthrough", "model__C": 0.1}, {}]
    table, _ = splits(pipeline, grid, rows())
    assert np.array_equal(table, theirs(pipeline, grid, rows()))
