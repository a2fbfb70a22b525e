"""Early stopping of scikit-learn's boosting chooses what a grid over every number of rounds would."""

import numpy as np
import pytest
from sklearn.base import is_classifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from tests.tuning.learners.searching import curves, theirs
from tests.tuning.learners.test_ensembles import named, rows_for
from tuning import Scorers
from tuning.learners import learner_for
from tuning.spec.scoring import EstimatorScorer

SEED = {"random_state": 0}
ALL = 7
BOOSTING = [
    GradientBoostingClassifier(subsample=0.8, learning_rate=0.5, **SEED),
    GradientBoostingClassifier(n_iter_no_change=2, tol=0.05, **SEED),
    GradientBoostingRegressor(learning_rate=0.5, **SEED),
    HistGradientBoostingClassifier(min_samples_leaf=5, learning_rate=0.5, **SEED),
    HistGradientBoostingClassifier(min_samples_leaf=5, early_stopping=True, n_iter_no_change=2, **SEED),
    HistGradientBoostingRegressor(min_samples_leaf=5, **SEED),
    AdaBoostClassifier(**SEED),
    AdaBoostClassifier(LogisticRegression(), **SEED),
    AdaBoostRegressor(**SEED),
    AdaBoostRegressor(DecisionTreeRegressor(), **SEED),
    Pipeline([("scale", StandardScaler()), ("model", GradientBoostingClassifier(**SEED))]),
]


def assert_equal_to_a_grid(estimator, data, scorers):
    learner = learner_for(estimator)
    name = learner.rounds_name(estimator)
    estimator.set_params(**{name: ALL})
    assert learner.can_stop_early(estimator)
    found = curves(estimator, data, scorers, patience=ALL)
    for scorer in scorers:
        grid = theirs(estimator, [{name: rounds} for rounds in range(1, ALL + 1)], data, scorer)
        assert np.array_equal(np.array([curve[scorer] for curve in found]).T, grid)


@pytest.mark.parametrize("estimator", BOOSTING, ids=named)
def test_the_scores_after_every_round_are_those_of_a_grid_over_all_numbers(estimator):
    scorers = ("neg_log_loss", "accuracy") if is_classifier(estimator) else ("r2",)
    assert_equal_to_a_grid(estimator, rows_for(estimator), scorers)


@pytest.mark.parametrize("estimator", [each for each in BOOSTING if is_classifier(each)], ids=named)
def test_scorers_that_ask_for_a_decision_function_get_the_models_own(estimator):
    assert_equal_to_a_grid(estimator, rows_for(estimator, n_classes=2), ("roc_auc", "f1_macro"))


def test_patience_decides_where_the_curve_ends():
    boosting = GradientBoostingClassifier(n_estimators=40, learning_rate=1.0, **SEED)
    found = curves(boosting, rows_for(boosting), ("neg_log_loss",), patience=3)
    for curve in found:
        scores = curve["neg_log_loss"]
        assert len(scores) < 40
        assert len(scores) - 1 - int(np.argmax(scores)) == 3


def test_a_forest_has_no_rounds_to_stop_at():
    assert not learner_for(RandomForestClassifier(**SEED)).can_stop_early(RandomForestClassifier(**SEED))
    assert not learner_for(GradientBoostingClassifier()).can_stop_early(GradientBoostingClassifier())


def of_other_rows(estimator, X, y):
    """Ask for predictions of other rows than those that are tested, as a scorer may that is given the estimator."""
    return float(np.mean(estimator.predict(X[::3]) == y[::3]) + np.abs(estimator.predict_proba(X[1:5])[:, 0]).sum())


@pytest.mark.parametrize("estimator", [each for each in BOOSTING if is_classifier(each)], ids=named)
def test_scorers_that_look_at_more_than_predictions_get_models_that_know_it_all(estimator):
    data, name = rows_for(estimator), learner_for(estimator).rounds_name(estimator)
    estimator.set_params(**{name: ALL})
    inside = Scorers({"inside": EstimatorScorer(of_other_rows, {}, 1)}, "inside")
    found = curves(estimator, data, inside, patience=ALL)
    grid = theirs(estimator, [{name: rounds} for rounds in range(1, ALL + 1)], data, of_other_rows)
    assert np.array_equal(np.array([curve["inside"] for curve in found]).T, grid)
