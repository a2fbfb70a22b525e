"""The local engine: one copy of the data, errors as results, and a clean end."""

import atexit
import os
import threading
import time
from concurrent.futures import CancelledError
from pathlib import Path

import joblib
import numpy as np
import psutil
import pytest
import xgboost as xgb
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GridSearchCV
from sklearn.tree import DecisionTreeClassifier

from tuning import Candidate, Dataset, Fit, Scorers, SweepSpec, Workload, open_engine, refit, sweep
from tuning.control import Watched
from tuning.engines import LocalEngine
from tuning.engines.processes import Processes
from tuning.engines.threads import Threads


class Nosy(ClassifierMixin, BaseEstimator):
    """Tells in which process it was trained, whether it may write to its rows, and fails when asked to."""

    def __init__(self, mood="calm", mark=None):
        self.mood = mood
        self.mark = mark

    def fit(self, X, y):
        if self.mood == "raise":
            raise ValueError("a mood\nof two lines")
        if self.mood == "mapped":
            (_,) = [each for each in psutil.Process().memory_maps() if each.path.endswith("workload.joblib")]
        if self.mood == "tidy":
            atexit.register(Path(self.mark).write_text, "tidied")
        if self.mood == "sleep":
            Path(self.mark).write_text(str(os.getpid()))
            time.sleep(600)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.zeros(X.shape[0], dtype=int)


def rows(n_rows=60, n_classes=3):
    y = np.arange(n_rows) % n_classes
    X = np.random.default_rng(0).normal(size=(n_rows, 4)).astype(np.float32) + y[:, None]
    return Dataset(X, y, np.unique(y))


def spec(**changes):
    given = {
        "estimator": "xgboost.XGBClassifier",
        "grid": {"max_depth": [2]},
        "scoring": "accuracy",
        "cv": {"folds": 3},
    }
    return SweepSpec(**{**given, **changes})


@pytest.fixture
def nosy_workload(monkeypatch):
    """A workload of the estimator above; it is pickled by value, since workers cannot import a test module."""
    return Workload(Nosy(), Scorers.named("accuracy"), rows(), Workload.for_spec(spec(), rows()).folds)


def test_one_matrix_per_fold_serves_every_fit(monkeypatch):
    made = []
    monkeypatch.setattr("tuning.learners.keeper._CHEAP", 0.0)  # however slow this machine's fits are
    monkeypatch.setattr(
        "tuning.learners.xgboost.training_matrix",
        lambda estimator, X, y, weight: made.append(len(y)) or xgb.QuantileDMatrix(X, y),
    )
    with open_engine("local", 2) as engine:
        result = sweep(spec(grid={"max_depth": [1, 2, 3, 4], "reg_lambda": [1, 2]}), rows(), engine)
    assert result.n_units == 24
    assert made == [40, 40, 40]


def test_matrices_go_when_the_last_fit_of_their_fold_has_ended():
    engine = LocalEngine(1)
    with_folds = Workload.for_spec(spec(), rows())
    engine.open(with_folds)
    futures = [engine.submit(Fit(fold.index, (Candidate({"n_estimators": 2}),))) for fold in with_folds.folds]
    for future in futures:
        assert not future.result()[0].error
    assert engine._pool.keeper._kept == {}
    engine.close()


def test_what_an_estimator_raises_is_its_result_in_one_line(nosy_workload):
    engine = LocalEngine(2)
    engine.open(nosy_workload)
    bad = engine.submit(Fit(0, (Candidate({"mood": "raise"}),)))
    good = engine.submit(Fit(0, (Candidate({"mood": "calm"}),)))
    assert [score.error for score in bad.result()] == ["ValueError: a mood of two lines"]
    assert good.result()[0].error is None
    engine.close()


def test_a_booster_that_refuses_its_parameters_fails_alone():
    grid = {"grow_policy": ["depthwise", "sideways"], "n_estimators": [2, 3]}
    with open_engine("local", 2) as engine:
        result = sweep(spec(grid=grid), rows(), engine)
    assert {c.params["grow_policy"] for c in result.failed} == {"sideways"}
    assert len(result.failed) == 2
    assert result.best.params["grow_policy"] == "depthwise"


def test_cancelling_ends_a_process_in_the_middle_of_its_fit(nosy_workload, tmp_path):
    mark = tmp_path / "asleep"
    engine = LocalEngine(1)
    engine.open(nosy_workload)
    future = engine.submit(Fit(0, (Candidate({"mood": "sleep", "mark": str(mark)}),)))
    while not (mark.exists() and mark.read_text()):
        time.sleep(0.01)
    closing = threading.Thread(target=engine.close, kwargs={"cancel": True}, daemon=True)
    closing.start()
    closing.join(timeout=60)  # the fit sleeps for ten times as long
    assert not closing.is_alive()
    assert not psutil.pid_exists(int(mark.read_text()))
    assert future.cancelled() or future.exception(timeout=0) is not None


def test_cancelling_ends_a_booster_after_the_round_at_hand():
    begun, cancelled, rounds = threading.Event(), threading.Event(), []

    def at(fit, share, done):
        rounds.append(done)
        begun.set()
        cancelled.wait()

    before = {*threading.enumerate()}
    engine = LocalEngine(2)
    engine.ledger.at = at
    engine.open(Workload.for_spec(spec(), rows()))
    future = engine.submit(Fit(0, (Candidate({"n_estimators": 1_000_000}),)))
    begun.wait()
    pool = engine._pool
    closing = threading.Thread(target=engine.close, kwargs={"cancel": True}, daemon=True)
    closing.start()
    while not pool.cancelled:
        time.sleep(0.01)
    cancelled.set()
    closing.join(timeout=60)
    assert not closing.is_alive()
    assert isinstance(future.exception(timeout=0), CancelledError)
    assert len(rounds) <= 2
    assert not [each for each in {*threading.enumerate()} - before if each.name.startswith("fit")]


def test_workers_map_the_rows_rather_than_copy_them(nosy_workload):
    engine = LocalEngine(1)
    engine.open(nosy_workload)
    path = engine._pool.workload_file
    assert isinstance(joblib.load(path, mmap_mode="r").data.X, np.memmap)
    assert engine.submit(Fit(0, (Candidate({"mood": "mapped"}),))).result()[0].error is None
    engine.close()
    assert not path.exists()


TELLING = (
    "xgboost.XGBClassifier",
    "lightgbm.LGBMClassifier",
    "catboost.CatBoostClassifier",
    "sklearn.ensemble.GradientBoostingClassifier",
)


@pytest.mark.parametrize("estimator", TELLING)
def test_every_round_is_told_while_it_trains_and_while_it_is_refitted(estimator):
    pytest.importorskip(estimator.partition(".")[0])
    told = []
    asked = spec(estimator=estimator, fixed={"n_estimators": 7}, grid={"max_depth": [2]})
    engine, notes = LocalEngine(1), []
    engine.ledger.at = lambda fit, share, rounds: notes.append((share, rounds))
    with_folds = Workload.for_spec(asked, rows())
    engine.open(with_folds)
    engine.submit(Fit(0, (Candidate({"max_depth": 2}),))).result()
    engine.close()
    refit(asked, Candidate({"max_depth": 2}), rows(), 1, control=Watched(lambda done, of: told.append((done, of))))
    assert [rounds for _, rounds in notes] == told == [(done, 7) for done in range(1, 8)]
    assert [share for share, _ in notes] == pytest.approx([done / 7 for done in range(1, 8)])


def test_the_ledger_knows_what_waits_what_runs_and_what_it_took():
    engine = LocalEngine(1)
    engine.open(Workload.for_spec(spec(), rows()))
    futures = [engine.submit(Fit(fold, (Candidate({}),))) for fold in (0, 1, 2)]
    for future in futures:
        future.result()
    engine.close()
    state = engine.ledger.state()
    assert (state.waiting.n, state.running, state.pace.seen_work.n) == (0, (), 3)
    assert state.pace.seconds > 0


def test_what_a_fit_has_registered_for_the_end_of_its_process_is_done(nosy_workload, tmp_path):
    mark = tmp_path / "mark"
    engine = LocalEngine(1)
    engine.open(nosy_workload)
    (score,) = engine.submit(Fit(0, (Candidate({"mood": "tidy", "mark": str(mark)}),))).result()
    assert score.error is None
    engine.close()
    assert mark.read_text() == "tidied"


@pytest.mark.parametrize(("n_rows", "pool"), [(60, Processes), (50_000, Threads)])
def test_trees_over_many_rows_share_them_in_threads(n_rows, pool):
    data = rows(n_rows)
    grid = {"max_depth": [2, 3], "ccp_alpha": [0.0, 0.01]}
    cv = {"folds": 3, "seed": 0}
    given = spec(estimator="sklearn.tree.DecisionTreeClassifier", fixed={"random_state": 0}, grid=grid, cv=cv)
    with open_engine("local", 2) as engine:
        result = sweep(given, data, engine)
    engine = LocalEngine(2)
    workload = Workload.for_spec(given, data)
    engine.open(workload)
    try:
        assert type(engine._pool) is pool
    finally:
        engine.close()
    folds = [(fold.train, fold.test) for fold in workload.folds]
    tree = DecisionTreeClassifier(random_state=0)
    search = GridSearchCV(tree, grid, cv=folds, scoring="accuracy").fit(data.X, data.y)
    expected = {
        tuple(sorted(params.items())): [search.cv_results_[f"split{fold}_test_score"][row] for fold in range(3)]
        for row, params in enumerate(search.cv_results_["params"])
    }
    swept = [tuple(sorted(candidate.params.items())) for candidate in result.candidates]
    assert result.split_scores().tolist() == [expected[params] for params in swept]
