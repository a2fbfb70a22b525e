"""Idle cores are used in the tail, only where they help, and never change a tree."""

import itertools
import json

import numpy as np
import xgboost as xgb

from tuning import Candidate, Dataset, Fit, SweepSpec, Workload
from tuning.engines import LocalEngine
from tuning.learners.threads import ThreadTrial


class Booster:
    def __init__(self):
        self.threads = [1]

    def set_param(self, params):
        self.threads.append(params["nthread"])


def threads_after(round_seconds, allowed=lambda: 2):
    """Play rounds of the given lengths; a length may depend on the threads in use."""
    booster, now = Booster(), [0.0]
    trial = ThreadTrial(allowed, clock=lambda: now[0])
    for epoch, seconds in enumerate(round_seconds):
        now[0] += seconds[booster.threads[-1]]
        trial.after_iteration(booster, epoch, {})
    return booster.threads


def test_more_threads_stay_where_rounds_get_faster():
    assert threads_after([{1: 1.0, 2: 0.6}] * 20) == [1, 2]


def test_more_threads_are_taken_back_where_rounds_do_not():
    assert threads_after([{1: 1.0, 2: 3.0}] * 20) == [1, 2, 1]


def test_nothing_is_tried_while_fits_wait_for_cores():
    free_when_asked_for_the_ninth_time = [1] * 8 + [2]

    def after(n_rounds):
        answers = itertools.chain(free_when_asked_for_the_ninth_time, itertools.repeat(2))
        return threads_after([{1: 1.0, 2: 0.5}] * n_rounds, lambda: next(answers))

    assert after(10) == [1]
    assert after(11) == [1, 2]  # the first question comes after the third round


def test_trees_do_not_depend_on_threads_changed_in_the_middle():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(3000, 20)).astype(np.float32)
    y = generator.integers(0, 4, 3000)
    matrix = xgb.QuantileDMatrix(X, y, nthread=1)
    params = {"objective": "multi:softprob", "num_class": 4, "nthread": 1, "subsample": 0.7, "seed": 0}
    plain = xgb.train(params, matrix, 12)
    changed = xgb.train(params, matrix, 12, callbacks=[ThreadTrial(lambda: 2, clock=itertools.count(0, -1).__next__)])
    assert [threads_of(plain), threads_of(changed)] == ["1", "2"]
    assert plain.get_dump(with_stats=True) == changed.get_dump(with_stats=True)


def threads_of(booster):
    return json.loads(booster.save_config())["learner"]["generic_param"]["nthread"]


def test_the_last_fits_share_the_cores_and_earlier_ones_do_not():
    y = np.arange(90) % 3
    data = Dataset(np.random.default_rng(0).normal(size=(90, 4)), y, np.unique(y))
    spec = SweepSpec(estimator="xgboost.XGBClassifier", grid={"max_depth": [2]}, scoring="accuracy", cv={"folds": 3})
    engine = LocalEngine(4)
    engine.open(Workload.for_spec(spec, data))
    pool = engine._pool
    assert pool.threads() == 4
    pool._waiting.append(None)
    pool._running.extend([None] * 4)
    assert pool.threads() == 1
    pool._waiting.clear()
    del pool._running[2:]
    assert pool.threads() == 2
    pool._running.clear()
    assert engine.submit(Fit(0, (Candidate({"n_estimators": 9}),))).result()[0].error is None
    assert (list(pool._waiting), pool._running) == ([], [])
    engine.close()
