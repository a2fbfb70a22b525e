"""The result's table is scikit-learn's."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from errors import FitError
from tuning import Candidate, Dataset, FoldScore, SweepResult, SweepSpec, open_engine, sweep
from tuning.results.statistics import ranks


def result(table):
    """Build a result from ``{candidate name: [score per fold, or an error]}``."""
    candidates = [Candidate({"x": name}) for name in table]
    scores = {
        candidate: [
            FoldScore(candidate, k, error=value) if isinstance(value, str) else FoldScore(candidate, k, {"r2": value})
            for k, value in enumerate(row)
        ]
        for candidate, row in zip(candidates, table.values(), strict=True)
    }
    n_folds = max(map(len, table.values()))
    return SweepResult(candidates, scores, n_folds, ("r2",), "r2", n_units=len(candidates), seconds=1.0)


def test_the_highest_mean_wins_and_the_first_of_equals():
    assert result({"a": [0.1, 0.2], "b": [0.5, 0.3], "c": [0.3, 0.5]}).best.params == {"x": "b"}


def test_a_candidate_that_failed_on_a_fold_cannot_win():
    outcome = result({"a": [0.9, "ValueError: no"], "b": [0.1, 0.2]})
    assert outcome.best.params == {"x": "b"}
    assert [c.params["x"] for c in outcome.failed] == ["a"]
    assert outcome.cv_results()["rank_test_score"] == [2, 1]


def test_when_all_fail_the_commonest_error_is_said():
    outcome = result({"a": ["ValueError: one", "TypeError: two"], "b": ["TypeError: two", "TypeError: two"]})
    with pytest.raises(FitError, match=r"all 2 candidates failed; the commonest error: TypeError: two"):
        _ = outcome.best


def test_a_stopped_candidate_keeps_its_scores_but_ranks_below_those_judged_in_full():
    outcome = result({"a": [0.9, 0.9], "b": [0.1, 0.2, 0.3], "c": [0.5]})
    assert outcome.best.params == {"x": "b"}
    assert [c.params["x"] for c in outcome.stopped] == ["a", "c"]
    table = outcome.cv_results()
    assert table["rank_test_score"] == [2, 1, 3]
    assert table["mean_test_score"] == pytest.approx([0.9, 0.2, 0.5])
    assert table["n_folds"] == [2, 3, 1]
    assert np.isnan(table["split2_test_score"][0])


def test_a_sweep_that_ran_out_of_budget_says_so():
    with pytest.raises(FitError, match=r"none of 2 candidates was judged on all 2 folds\. Raise the budget"):
        _ = replace(result({"a": [0.9], "b": [0.5]}), n_folds=2).best


def test_equals_share_the_better_rank_and_nan_comes_last():
    assert ranks(np.array([0.3, np.nan, 0.5, 0.3])).tolist() == [2, 4, 1, 2]


@pytest.mark.parametrize("scoring", ["neg_log_loss", ["neg_log_loss", "accuracy"]])
def test_the_table_has_the_columns_and_scores_of_grid_search_cv(scoring):
    X, y = load_iris(return_X_y=True)
    grid = {"C": [0.1, 1.0], "fit_intercept": [True, False]}
    spec = SweepSpec(
        estimator="sklearn.linear_model.LogisticRegression",
        fixed={"max_iter": 500},
        grid=grid,
        scoring=scoring,
        refit="accuracy" if isinstance(scoring, list) else None,
        cv={"folds": 3},
    )
    with open_engine("local", 1) as engine:
        ours = sweep(spec, Dataset(X, y, np.unique(y)), engine).cv_results()
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    search = GridSearchCV(LogisticRegression(max_iter=500), grid, scoring=scoring, cv=folds, refit=False).fit(X, y)
    assert set(ours) - {"shared"} == set(search.cv_results_)
    assert set(ours["shared"]) == {"fitted alone"}
    assert ours["params"] == list(search.cv_results_["params"])
    for column in ours:
        if "_test_" in column:
            assert np.allclose(ours[column], search.cv_results_[column], rtol=0, atol=1e-12), column
