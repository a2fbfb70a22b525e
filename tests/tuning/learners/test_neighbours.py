"""One search serves every number of neighbours, and ties are broken as they are without it; so for thresholds."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import Lasso, LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from tests.tuning.learners.searching import splits, theirs
from tests.tuning.learners.test_ensembles import assert_equal_to_separate_fits, fold_rows, named, rows_for
from tuning import Dataset
from tuning.learners import GENERAL, neighbours

NEIGHBOURS = [
    KNeighborsClassifier(),
    KNeighborsClassifier(algorithm="brute"),
    KNeighborsClassifier(algorithm="brute", metric="manhattan"),
    KNeighborsClassifier(algorithm="brute", p=1),
    KNeighborsClassifier(algorithm="brute", weights="distance"),
    KNeighborsClassifier(weights="distance", metric="manhattan"),
    KNeighborsRegressor(),
    KNeighborsRegressor(algorithm="brute", weights="distance"),
    KNeighborsRegressor(algorithm="ball_tree", p=3),
]
LEARNER = neighbours.NeighboursLearner()
NUMBERS = (9, 1, 4, 70)  # the last is more than half of the rows, where scikit-learn changes its way


def with_numbers(estimator):
    return [type(estimator)(**{**estimator.get_params(), "n_neighbors": number}) for number in NUMBERS]


@pytest.mark.parametrize("changes", [{"n_neighbors": 0}, {"n_neighbors": 2.5}, {"metric": "precomputed"}])
def test_what_is_no_number_of_neighbours_or_no_search_of_ours_is_fitted_alone(changes):
    assert list(LEARNER.free(KNeighborsClassifier())) == ["n_neighbors"]
    assert LEARNER.free(KNeighborsClassifier(**changes)) == {}


@pytest.mark.parametrize("estimator", NEIGHBOURS, ids=named)
def test_the_nearest_of_many_are_the_few_nearest(estimator):
    assert_equal_to_separate_fits(with_numbers(estimator), rows_for(estimator))


@pytest.mark.parametrize("estimator", NEIGHBOURS, ids=named)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_full_of_ties_are_judged_as_in_fits_of_their_own(estimator, dtype):
    data = rows_for(estimator)
    tied = Dataset(np.round(data.X[:, :4]).astype(dtype), data.y, data.classes)
    assert_equal_to_separate_fits(with_numbers(estimator), tied)


@pytest.mark.parametrize("estimator", [NEIGHBOURS[0], NEIGHBOURS[4], NEIGHBOURS[6]], ids=named)
def test_sparse_rows(estimator):
    assert_equal_to_separate_fits(with_numbers(estimator), rows_for(estimator, layout=sp.csr_matrix))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("estimator", [NEIGHBOURS[1], NEIGHBOURS[2]], ids=named)
def test_rows_far_from_the_origin_where_a_product_of_matrices_loses_their_distances(estimator, dtype):
    data = rows_for(estimator)
    far = Dataset((data.X[:, :4] + (3e3 if dtype is np.float32 else 1e8)).astype(dtype), data.y, data.classes)
    assert_equal_to_separate_fits(with_numbers(estimator), far)


def test_several_targets():
    estimator = KNeighborsClassifier(algorithm="brute")
    data = rows_for(estimator)
    both = Dataset(data.X, np.column_stack([data.y, data.X[:, 0] > 0]).astype(int))
    with threadpool_limits(1):
        rows = fold_rows(both, estimator)
        fitted = LEARNER.fit(LEARNER.whole(with_numbers(estimator)), rows)
        for each in with_numbers(estimator):
            alone = GENERAL.fit(clone(each), rows).model
            cut = LEARNER.cut(fitted, each)
            assert cut.predict(rows.test().X).shape == (rows.test().n_rows, 2)
            np.testing.assert_array_equal(cut.predict(rows.test().X), alone.predict(rows.test().X))


def test_ties_that_nobody_looks_for_would_be_noticed(monkeypatch):
    monkeypatch.setattr(neighbours, "_ties", lambda *_: False)
    estimator = KNeighborsRegressor(algorithm="brute")
    data = rows_for(estimator)
    tied = Dataset(np.round(data.X[:, :4] / 3), data.y)
    with pytest.raises(AssertionError):
        assert_equal_to_separate_fits(with_numbers(estimator), tied)


def test_a_search_over_neighbours_is_gridsearchcvs():
    estimator = KNeighborsClassifier()
    grid = [{"n_neighbors": number, "p": p} for number in (3, 9, 5) for p in (1, 2)]
    table, shared = splits(estimator, grid, rows_for(estimator), ("accuracy",))
    assert np.array_equal(table, theirs(estimator, grid, rows_for(estimator), "accuracy"))
    assert all("n_neighbors" in words for words in shared.values())


def test_one_fit_serves_every_threshold():
    estimator = FixedThresholdClassifier(LogisticRegression(random_state=0))
    grid = [{"threshold": threshold} for threshold in (0.2, "auto", 0.7)]
    data = rows_for(estimator.estimator, n_classes=2)
    data = Dataset(data.X, data.y, np.arange(2))
    table, shared = splits(estimator, grid, data, ("f1_macro",))
    assert np.array_equal(table, theirs(estimator, grid, data, "f1_macro"))
    assert all("threshold" in words for words in shared.values())


SEPARATE = [
    (LogisticRegression(), [{"C": 0.1}, {"C": 1.0}]),
    (SVC(), [{"kernel": "linear"}, {"kernel": "rbf"}]),
    (KNeighborsClassifier(), [{"weights": "uniform"}, {"weights": "distance"}]),
    (Lasso(random_state=0), [{"alpha": 0.1}, {"alpha": 1.0}]),
    (
        Pipeline([("pick", PCA(random_state=0)), ("model", LogisticRegression())]),
        [{"pick__n_components": 2}, {"pick__n_components": 3}],
    ),
]


@pytest.mark.parametrize(("estimator", "grid"), SEPARATE, ids=lambda each: type(each).__name__)
def test_what_is_not_known_to_be_exact_is_fitted_separately(estimator, grid):
    data = rows_for(estimator)
    scorer = "r2" if data.classes is None else "accuracy"
    table, shared = splits(estimator, grid, data, (scorer,))
    assert np.array_equal(table, theirs(estimator, grid, data, scorer))
    if not isinstance(estimator, Pipeline):  # a pipeline's steps are its own, and fitted for each number of columns
        assert set(shared.values()) == {"fitted alone"}
