"""The winner may be the simplest candidate that is about as good as the best."""

import numpy as np
import pytest
from pydantic import ValidationError

from errors import SpecError
from tuning import Candidate, Dataset, FoldScore, SweepResult, SweepSpec, open_engine, sweep
from tuning.spec.refit import RefitSpec

SPLITS = {100: [0.90, 0.94, 0.92], 10: [0.91, 0.92, 0.91], 1: [0.80, 0.84, 0.82], 3: [float("nan"), 1.0, 1.0]}
"""By C. The best mean is 0.92, its standard error 0.02 / sqrt(3) = 0.0115; C=10 has 0.9133."""


def chosen(rule, sizes=()):
    candidates = [Candidate({"C": C}) for C in SPLITS]
    scores = {
        candidate: [FoldScore(candidate, k, {"r2": value}) for k, value in enumerate(splits)]
        for candidate, splits in zip(candidates, SPLITS.values(), strict=True)
    }
    result = SweepResult(candidates, scores, 3, ("r2",), "r2", 0, 0.0, sizes=sizes, rule=RefitSpec.model_validate(rule))
    return result.best.params["C"]


@pytest.mark.parametrize(
    ("rule", "C"),
    [
        ({}, 100),
        ("r2", 100),
        ({"rule": "one_standard_error", "simplest": {"C": "low"}}, 10),
        ({"rule": "one_standard_error", "simplest": {"C": "high"}}, 100),
        ({"rule": "percent", "within": 0.5, "simplest": {"C": "low"}}, 100),
        ({"rule": "percent", "within": 1, "simplest": {"C": "low"}}, 10),
        ({"rule": "percent", "within": 12, "simplest": {"C": "low"}}, 1),
    ],
)
def test_the_rule_chooses(rule, C):
    assert chosen(rule) == C


def test_sizes_stand_for_simplicity_where_no_parameter_is_named():
    assert chosen({"rule": "one_standard_error"}, sizes=[5.0, 2.0, 1.0, 1.0]) == 10
    assert chosen({"rule": "one_standard_error"}, sizes=[5.0, None, 1.0, 1.0]) == 100


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rule": "bets"}, "'best', 'one_standard_error' or 'percent'"),
        ({"rule": "percent"}, "within goes with rule: percent"),
        ({"within": 3}, "within goes with rule: percent"),
        ({"simplest": {"C": "low"}}, "simplest does not go with rule: best"),
        ({"rule": "one_standard_error", "simplest": {"C": "least"}}, "'low' or 'high'"),
    ],
)
def test_a_mistake_gets_one_line(given, said):
    with pytest.raises(ValidationError) as caught:
        RefitSpec.model_validate(given)
    assert said in caught.value.errors()[0]["msg"]


def data():
    X = np.random.default_rng(0).normal(size=(90, 3))
    return Dataset(X, (X[:, 0] > 0).astype(int), np.array(["no", "yes"]))


def swept(estimator, grid, refit):
    spec = SweepSpec(estimator=estimator, grid=grid, scoring="neg_log_loss", refit=refit, cv={"folds": 3})
    with open_engine("local", 1) as engine:
        return sweep(spec, data(), engine)


def test_a_sweep_chooses_by_its_rule():
    grid = {"n_estimators": [5, 6, 7, 8], "max_depth": [1]}
    result = swept("xgboost.XGBClassifier", grid, {"rule": "percent", "within": 99})
    assert result.best.params["n_estimators"] == 5
    assert result.candidates[result.top_index].params["n_estimators"] == 8


@pytest.mark.parametrize(
    ("refit", "said"),
    [
        ({"rule": "one_standard_error"}, r"^refit\.rule: which LogisticRegression is the simplest is not known"),
        ({"rule": "one_standard_error", "simplest": {"c": "low"}}, r"^refit\.simplest\.c: it does not vary"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused_before_the_first_fit(refit, said):
    with pytest.raises(SpecError, match=said):
        swept("sklearn.linear_model.LogisticRegression", {"C": [0.1, 1.0]}, refit)
