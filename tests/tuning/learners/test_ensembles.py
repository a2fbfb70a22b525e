"""The first rounds or trees of one fit are, to the bit, those of fits of their own, whatever a scorer asks for."""

import inspect
import time
from concurrent.futures import CancelledError

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone, is_classifier
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier
from threadpoolctl import threadpool_limits

from tests.tuning.learners.searching import splits, theirs
from tuning import Candidate, Dataset, Fit, Fold, Scorers, Workload
from tuning.engines import LocalEngine
from tuning.learners import GENERAL, learner_for
from tuning.learners.keeper import FoldKeeper

pytestmark = [
    pytest.mark.filterwarnings("ignore:divide by zero encountered in log"),
    pytest.mark.filterwarnings("ignore:Some inputs do not have OOB scores"),
]

METHODS = ("predict", "predict_proba", "decision_function", "predict_log_proba")
SEED = {"random_state": 0}

ENSEMBLES = [
    RandomForestClassifier(**SEED),
    RandomForestClassifier(max_samples=0.6, class_weight="balanced_subsample", max_depth=4, **SEED),
    RandomForestRegressor(max_features=0.5, **SEED),
    ExtraTreesClassifier(**SEED),
    ExtraTreesRegressor(bootstrap=True, **SEED),
    BaggingClassifier(max_samples=0.7, max_features=0.6, bootstrap_features=True, **SEED),
    BaggingClassifier(LogisticRegression(), **SEED),
    BaggingRegressor(Ridge(), **SEED),
    GradientBoostingClassifier(subsample=0.7, max_features=0.5, **SEED),
    GradientBoostingClassifier(n_iter_no_change=2, tol=0.05, **SEED),
    GradientBoostingRegressor(loss="huber", init=Ridge(random_state=0), **SEED),
    HistGradientBoostingClassifier(min_samples_leaf=5, **SEED),
    HistGradientBoostingClassifier(early_stopping=True, n_iter_no_change=2, tol=0.05, min_samples_leaf=5, **SEED),
    HistGradientBoostingClassifier(early_stopping=False, min_samples_leaf=5),
    HistGradientBoostingRegressor(max_features=0.5, min_samples_leaf=5, **SEED),
    HistGradientBoostingRegressor(loss="absolute_error", min_samples_leaf=5, **SEED),
    AdaBoostClassifier(**SEED),
    AdaBoostClassifier(DecisionTreeClassifier(max_depth=3), learning_rate=0.5, **SEED),
    AdaBoostClassifier(LogisticRegression(), **SEED),
    AdaBoostRegressor(loss="square", **SEED),
]
COUNTS = (12, 3, 7, 1)


def named(estimator):
    changed = {name: value for name, value in estimator.get_params(False).items() if _differs(estimator, name, value)}
    return f"{type(estimator).__name__} {changed}" if changed else type(estimator).__name__


def _differs(estimator, name, value):
    default = inspect.signature(type(estimator)).parameters[name].default
    return name != "random_state" and repr(value) != repr(default)


def rows_for(estimator, n_classes=3, layout=np.asarray, weighed=False, missing=False):
    X, y = make_classification(
        150, 10, n_informative=6, n_classes=n_classes, n_clusters_per_class=1, flip_y=0.2, random_state=1
    )
    weights = np.random.default_rng(0).uniform(0.1, 2.0, len(y)) if weighed else None
    if missing:
        X[np.random.default_rng(1).random(X.shape) < 0.1] = np.nan
    if is_classifier(estimator):
        return Dataset(layout(X), y, np.array(["one", "three", "two", "zwei"][:n_classes]), sample_weight=weights)
    target = 10 * np.nan_to_num(X[:, 0]) + y + np.nan_to_num(X[:, 1]) ** 2
    return Dataset(layout(X), target, sample_weight=weights)


def fold_rows(data, estimator):
    order = np.random.default_rng(2).permutation(data.n_rows)
    work = Workload(estimator, Scorers.named("r2"), data, (Fold(0, order[50:], order[:50]),))
    return FoldKeeper(work).rows(Fit(0, (Candidate({}),)))


def assert_equal_to_separate_fits(candidates, data):
    """What is cut from one fit answers as a fit of each candidate's own, to the bit."""
    learner = learner_for(candidates[0])
    assert learner.free(candidates[0]), "nothing is shared"
    with threadpool_limits(1):
        rows = fold_rows(data, candidates[0])
        fitted = learner.fit(learner.whole([clone(each) for each in candidates]), rows)
        answers = []
        for each in candidates:
            test = learner.judged_on(each, rows)
            cut = learner.cut(fitted, each)
            alone = GENERAL.fit(clone(each), rows).model
            answered = {method: getattr(alone, method)(rows.test().X) for method in METHODS if hasattr(alone, method)}
            for method, expected in answered.items():
                assert np.array_equal(getattr(cut, method)(test.X), expected), (each, method)
            assert cut.get_params(False).keys() == alone.get_params(False).keys()
            answers.append(answered.get("predict_proba", answered["predict"]))
    assert len({answer.tobytes() for answer in answers}) > 1, "all candidates are the same model"


def with_counts(estimator):
    name = learner_for(estimator).rounds
    return [clone(estimator).set_params(**{name: count}) for count in COUNTS]


@pytest.mark.parametrize("weighed", [False, True], ids=["", "weights"])
@pytest.mark.parametrize("estimator", ENSEMBLES, ids=named)
def test_the_first_of_many_are_a_fit_of_few(estimator, weighed):
    assert_equal_to_separate_fits(with_counts(estimator), rows_for(estimator, weighed=weighed))


TWO_CLASSES = [each for each in ENSEMBLES if is_classifier(each)]


@pytest.mark.parametrize("estimator", TWO_CLASSES, ids=named)
def test_of_two_classes_too(estimator):
    assert_equal_to_separate_fits(with_counts(estimator), rows_for(estimator, n_classes=2))


SPARSE = [each for each in ENSEMBLES if "Hist" not in type(each).__name__]


@pytest.mark.parametrize("estimator", SPARSE, ids=named)
def test_sparse_rows(estimator):
    assert_equal_to_separate_fits(with_counts(estimator), rows_for(estimator, layout=sp.csr_matrix))


TAKE_MISSING = [
    RandomForestClassifier(**SEED),
    ExtraTreesRegressor(**SEED),
    BaggingClassifier(**SEED),
    HistGradientBoostingClassifier(min_samples_leaf=5, **SEED),
    HistGradientBoostingRegressor(min_samples_leaf=5, **SEED),
]


@pytest.mark.parametrize("estimator", TAKE_MISSING, ids=named)
def test_missing_values(estimator):
    assert_equal_to_separate_fits(with_counts(estimator), rows_for(estimator, missing=True))


ALPHAS = (0.004, 0.0, 0.06)
PRUNED = [
    DecisionTreeClassifier(**SEED),
    DecisionTreeClassifier(max_leaf_nodes=12, criterion="entropy", **SEED),
    DecisionTreeRegressor(**SEED),
    ExtraTreeClassifier(**SEED),
    RandomForestClassifier(n_estimators=6, **SEED),
    ExtraTreesRegressor(n_estimators=6, **SEED),
]


@pytest.mark.parametrize("layout", [np.asarray, sp.csr_matrix])
@pytest.mark.parametrize("estimator", PRUNED, ids=named)
def test_one_grown_tree_is_pruned_for_every_alpha(estimator, layout):
    candidates = [clone(estimator).set_params(ccp_alpha=alpha) for alpha in ALPHAS]
    assert_equal_to_separate_fits(candidates, rows_for(estimator, layout=layout, weighed=True))


def test_trees_under_constraints_are_pruned_alike():
    constrained = DecisionTreeClassifier(monotonic_cst=[1, -1] + [0] * 8, **SEED)
    candidates = [clone(constrained).set_params(ccp_alpha=alpha) for alpha in ALPHAS]
    assert_equal_to_separate_fits(candidates, rows_for(constrained, n_classes=2))


def test_forests_are_cut_and_pruned_at_once_and_grow_once():
    forest = RandomForestClassifier(**SEED)
    grid = [{"n_estimators": n, "ccp_alpha": alpha} for n in (3, 8) for alpha in ALPHAS]
    table, shared = splits(forest, grid, rows_for(forest))
    assert np.array_equal(table, theirs(forest, grid, rows_for(forest)))
    assert all("n_estimators" in words and "ccp_alpha" in words for words in shared.values())


SEARCHED = [
    RandomForestClassifier(max_depth=3, **SEED),
    BaggingClassifier(**SEED),
    GradientBoostingClassifier(**SEED),
    HistGradientBoostingClassifier(min_samples_leaf=5, **SEED),
    AdaBoostClassifier(**SEED),
]


@pytest.mark.parametrize("estimator", SEARCHED, ids=named)
@pytest.mark.parametrize("scorer", ["neg_log_loss", "roc_auc"])
def test_a_search_finds_what_gridsearchcv_does(estimator, scorer):
    data = rows_for(estimator, n_classes=2, weighed=True)
    data = Dataset(data.X, data.y, np.arange(2), sample_weight=data.sample_weight)
    grid = [{learner_for(estimator).rounds: count} for count in COUNTS]
    table, shared = splits(estimator, grid, data, (scorer,))
    assert np.array_equal(table, theirs(estimator, grid, data, scorer))
    assert not any("alone" in words for words in shared.values())


def test_inside_a_pipeline_both_steps_and_rounds_are_shared():
    pipeline = Pipeline([("scale", StandardScaler()), ("model", GradientBoostingClassifier(**SEED))])
    grid = [{"model__n_estimators": count} for count in COUNTS]
    data = rows_for(pipeline)
    table, shared = splits(pipeline, grid, data)
    assert np.array_equal(table, theirs(pipeline, grid, data))
    assert all("model__n_estimators" in words and "steps scale" in words for words in shared.values())


class OwnForest(RandomForestClassifier):
    """What a subclass does in its fit nobody knows."""


NOT_SHARED = [
    RandomForestClassifier(),
    RandomForestClassifier(warm_start=True, **SEED),
    RandomForestClassifier(oob_score=True, **SEED),
    RandomForestClassifier(random_state=np.random.RandomState(0)),
    OwnForest(**SEED),
    BaggingClassifier(),
    GradientBoostingClassifier(),
    GradientBoostingClassifier(warm_start=True, **SEED),
    HistGradientBoostingClassifier(),
    HistGradientBoostingClassifier(max_features=0.5, early_stopping=False),
    HistGradientBoostingClassifier(warm_start=True, **SEED),
    AdaBoostClassifier(),
]


@pytest.mark.parametrize("estimator", NOT_SHARED, ids=named)
def test_without_a_seed_or_with_a_warm_start_each_candidate_is_fitted(estimator):
    rounds = "max_iter" if "Hist" in type(estimator).__name__ else "n_estimators"
    _, shared = splits(estimator, [{rounds: 2}, {rounds: 3}], rows_for(estimator), ("accuracy",))
    assert set(shared.values()) == {"fitted alone"}


def test_counts_that_the_library_refuses_are_refused_by_it():
    forest = RandomForestClassifier(**SEED)
    for wrong in (0, -1, 2.5, True, "many"):
        assert "n_estimators" not in learner_for(forest).free(clone(forest).set_params(n_estimators=wrong))


def test_threads_change_no_tree():
    data = rows_for(RandomForestClassifier())
    forests = [RandomForestClassifier(20, n_jobs=n_jobs, **SEED).fit(data.X, data.y) for n_jobs in (1, 3)]
    for one, three in zip(*(forest.estimators_ for forest in forests), strict=True):
        assert np.array_equal(one.tree_.value, three.tree_.value)
        assert np.array_equal(one.tree_.threshold, three.tree_.threshold)


def test_size_is_unknown_where_nothing_limits_a_tree():
    sizes = [
        (RandomForestClassifier(10), None),
        (RandomForestClassifier(10, max_depth=3), 80),
        (GradientBoostingClassifier(n_estimators=5), 40),
        (HistGradientBoostingClassifier(max_iter=10), 310),
        (HistGradientBoostingClassifier(max_leaf_nodes=None), None),
        (AdaBoostClassifier(n_estimators=5), 10),
        (AdaBoostClassifier(DecisionTreeClassifier()), None),
        (BaggingClassifier(DecisionTreeClassifier(max_leaf_nodes=4), n_estimators=3), 12),
        (BaggingClassifier(), None),
        (DecisionTreeClassifier(max_depth=5), 32),
    ]
    for estimator, size in sizes:
        assert learner_for(estimator).size(estimator) == size, estimator


def test_cancelling_ends_a_forest_after_the_tree_at_hand():
    forest = RandomForestClassifier(**SEED)
    data = rows_for(forest)
    order = np.arange(data.n_rows)
    engine = LocalEngine(1)
    engine.open(Workload(forest, Scorers.named("accuracy"), data, (Fold(0, order[50:], order[:50]),)))
    future = engine.submit(Fit(0, (Candidate({"n_estimators": 1_000_000}),)))
    while not future.running():
        time.sleep(0.01)
    engine.close(cancel=True)
    assert isinstance(future.exception(), CancelledError)
