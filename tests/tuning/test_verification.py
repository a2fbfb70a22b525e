"""Cells that are fitted again alone agree, and one that does not is found."""

import numpy as np
import pytest

from errors import FitError
from tuning import Dataset, SweepSpec, open_engine, sweep
from tuning.verification import raise_disagreement


def rows():
    y = np.arange(90) % 3
    X = np.random.default_rng(0).normal(size=(90, 4)).astype(np.float32) + y[:, None]
    return Dataset(X, y, np.array(["a", "b", "c"]))


def swept(**changes):
    given = {
        "estimator": "xgboost.XGBClassifier",
        "grid": {"n_estimators": [3, 9, 6]},
        "scoring": "neg_log_loss",
        "cv": {"folds": 3},
        "verify": 5,
    }
    with open_engine("local", 2) as engine:
        return sweep(SweepSpec(**{**given, **changes}), rows(), engine)


def test_shared_rounds_agree_with_separate_fits():
    done = swept().verification
    assert done.cells == 5
    assert done.difference <= 1e-6
    assert done.disagreement is None


def test_so_do_rounds_that_the_folds_have_chosen_together():
    result = swept(fixed={"n_estimators": 30}, grid={"max_depth": [1, 2]}, early_stopping={"patience": 5}, verify=6)
    assert result.verification.cells == 6
    assert result.verification.disagreement is None


def test_no_more_cells_are_verified_than_there_are():
    assert swept(grid={"n_estimators": [3]}, verify=100).verification.cells == 3


def test_a_cell_whose_random_numbers_are_not_fixed_cannot_be_verified():
    forest = swept(estimator="sklearn.ensemble.RandomForestClassifier", grid={"max_depth": [1, 2]})
    assert forest.verification.cells == 0


def test_sharing_that_is_not_exact_is_found_and_fails_the_sweep(monkeypatch):
    monkeypatch.setattr("tuning.learners.xgboost._shares_rounds", lambda estimator: True)
    result = swept(fixed={"booster": "dart", "rate_drop": 0.9, "random_state": 0}, verify=9)
    assert result.verification.difference > 1e-3
    with pytest.raises(FitError, match=r"verify: #\d n_estimators=\d on fold \d: neg_log_loss .* fitted alone"):
        raise_disagreement(result)
