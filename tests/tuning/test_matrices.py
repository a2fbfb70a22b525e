"""A fold's matrices are shared while that saves time, and are gone when it saves memory."""

import time

import numpy as np
import pytest
import xgboost as xgb

from tuning import Candidate, Dataset, Fit, SweepSpec, Workload
from tuning.learners.matrices import FoldMatrices

FIT = Fit(0, (Candidate({"max_depth": 2}),))
BOOSTER = xgb.XGBClassifier(n_jobs=1)


@pytest.fixture
def matrices():
    X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    y = np.arange(60) % 2
    spec = SweepSpec(estimator="xgboost.XGBClassifier", grid={"max_depth": [2]}, scoring="accuracy", cv={"folds": 2})
    made = FoldMatrices(Workload.for_spec(spec, Dataset(X, y, np.unique(y))))
    made.expect(FIT)
    made.expect(FIT)
    return made


def slow(monkeypatch, matrices, seconds):
    make = matrices._make_training
    monkeypatch.setattr(matrices, "_make_training", lambda *given: (time.sleep(seconds), make(*given))[1])


def test_fits_at_the_same_time_share_a_matrix(matrices):
    with matrices.in_use(FIT):
        first = matrices.training(FIT, BOOSTER)
        with matrices.in_use(FIT):
            assert matrices.training(FIT, BOOSTER) is first


def test_a_matrix_that_takes_as_long_as_its_fit_waits_for_the_next(matrices, monkeypatch):
    slow(monkeypatch, matrices, 0.2)
    with matrices.in_use(FIT):
        first = matrices.training(FIT, BOOSTER)
    with matrices.in_use(FIT):
        assert matrices.training(FIT, BOOSTER) is first


def test_a_matrix_that_is_nothing_beside_its_fit_is_made_again(matrices):
    with matrices.in_use(FIT):
        first = matrices.training(FIT, BOOSTER)
        time.sleep(3)
    with matrices.in_use(FIT):
        assert matrices.training(FIT, BOOSTER) is not first


def test_but_not_while_another_fit_of_the_fold_runs(matrices):
    with matrices.in_use(FIT):
        first = matrices.training(FIT, BOOSTER)
        with matrices.in_use(FIT):
            time.sleep(3)
        assert matrices.training(FIT, BOOSTER) is first


def test_nothing_stays_after_the_last_fit(matrices, monkeypatch):
    slow(monkeypatch, matrices, 0.2)
    for _ in range(2):
        with matrices.in_use(FIT):
            matrices.training(FIT, BOOSTER)
            matrices.test_rows(0)
    assert not matrices._kept
