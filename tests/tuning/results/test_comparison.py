"""The winner is told apart from the others only where the folds tell it apart."""

import numpy as np
import pytest

from tuning import Candidate, FoldScore, SweepResult
from tuning.results.comparison import compare
from tuning.results.statistics import paired_difference


def result(rows, sizes=()):
    candidates = [Candidate({"x": place}) for place in range(len(rows))]
    scores = {
        candidate: [FoldScore(candidate, k, {"r2": value}) for k, value in enumerate(row)]
        for candidate, row in zip(candidates, rows, strict=True)
    }
    return SweepResult(candidates, scores, 5, ("r2",), "r2", 0, 0.0, sizes=sizes)


HARD_AND_EASY = np.array([0.50, 0.58, 0.54, 0.46, 0.52])  # folds differ far more than candidates do


def test_a_difference_far_below_the_folds_spread_can_be_clear():
    steady = HARD_AND_EASY - [0.006, 0.0061, 0.0059, 0.006, 0.006]
    comparison = compare(result([HARD_AND_EASY, steady]))
    assert comparison.not_told_apart == []
    assert next(iter(comparison.differences.values())).mean == pytest.approx(0.006)


def test_a_difference_that_changes_sign_between_folds_is_not_clear():
    changing = HARD_AND_EASY + np.array([0.02, -0.03, 0.02, -0.03, 0.0])
    assert len(compare(result([HARD_AND_EASY, changing])).not_told_apart) == 1


def test_without_a_share_of_test_rows_the_folds_are_taken_for_those_of_k_fold():
    steady = HARD_AND_EASY - [0.006, 0.0061, 0.0059, 0.006, 0.006]
    (found,) = compare(result([HARD_AND_EASY, steady])).differences.values()
    assert found == paired_difference(HARD_AND_EASY.tolist(), steady.tolist(), test_share=0.25)  # of five folds 1 to 4
    assert found != paired_difference(HARD_AND_EASY.tolist(), steady.tolist(), test_share=1.0)


def test_the_smallest_model_within_one_standard_error_is_named():
    comparison = compare(result([HARD_AND_EASY, HARD_AND_EASY - 0.01, HARD_AND_EASY - 0.2], sizes=[400, 100, 1]))
    assert comparison.simplest.params == {"x": 1}


def test_candidates_that_were_stopped_are_not_compared():
    assert compare(result([HARD_AND_EASY, [0.9, 0.9]], sizes=[2, 1])).differences == {}


def test_the_sweep_gives_sizes_by_rounds_and_depth():
    from tuning import Dataset, SweepSpec, open_engine, sweep

    y = np.arange(60) % 2
    data = Dataset(np.random.default_rng(0).normal(size=(60, 2)), y, np.unique(y))
    spec = SweepSpec(
        estimator="xgboost.XGBClassifier",
        grid={"max_depth": [1, 2], "n_estimators": [2, 4]},
        scoring="accuracy",
        cv={"folds": 2},
    )
    with open_engine("local", 1) as engine:
        assert sweep(spec, data, engine).sizes == [4, 8, 8, 16]
