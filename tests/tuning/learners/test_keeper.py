"""What a fold's fits share is kept while that saves time, and is gone when it saves memory."""

import numpy as np
import pytest
import scipy.sparse as sp

from tuning import Candidate, Dataset, Fit, SweepSpec, Workload
from tuning.learners.keeper import FoldKeeper

FIT = Fit(0, (Candidate({"max_depth": 2}),))


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def workload(layout=np.asarray):
    X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    y = np.arange(60) % 2
    spec = SweepSpec(estimator="xgboost.XGBClassifier", grid={"max_depth": [2]}, scoring="accuracy", cv={"folds": 2})
    return Workload.for_spec(spec, Dataset(layout(X), y, np.unique(y), sample_weight=np.ones(60)))


@pytest.fixture
def keeper(clock):
    made = FoldKeeper(workload(), threads=True, clock=clock)
    made.expect(FIT)
    made.expect(FIT)
    return made


def matrix(keeper, clock, seconds=0.0):
    """What takes so many seconds to make, if it is made."""

    def make():
        clock.now += seconds
        return object()

    return keeper.rows(FIT).once("matrix", make)


def test_fits_at_the_same_time_share_a_matrix(keeper, clock):
    with keeper.in_use(FIT):
        first = matrix(keeper, clock)
        with keeper.in_use(FIT):
            assert matrix(keeper, clock) is first


def test_a_matrix_that_takes_as_long_as_its_fit_waits_for_the_next(keeper, clock):
    with keeper.in_use(FIT):
        first = matrix(keeper, clock, seconds=1.0)
        clock.now += 2.0
    with keeper.in_use(FIT):
        assert matrix(keeper, clock) is first


def test_a_matrix_that_is_nothing_beside_its_fit_is_made_again(keeper, clock):
    with keeper.in_use(FIT):
        first = matrix(keeper, clock, seconds=1.0)
        clock.now += 200.0
    with keeper.in_use(FIT):
        assert matrix(keeper, clock) is not first


def test_but_not_while_another_fit_of_the_fold_runs(keeper, clock):
    with keeper.in_use(FIT):
        first = matrix(keeper, clock, seconds=1.0)
        with keeper.in_use(FIT):
            clock.now += 200.0
        assert matrix(keeper, clock) is first


def test_nothing_stays_after_the_last_fit(keeper, clock):
    for _ in range(2):
        with keeper.in_use(FIT):
            matrix(keeper, clock, seconds=1.0)
            keeper.rows(FIT).shared_test()
    assert not keeper._kept


def test_in_a_process_of_its_own_what_some_candidates_share_goes_with_their_fit():
    keeper = FoldKeeper(workload())
    rows = keeper.rows(FIT)
    first = rows.once("steps", object, for_all=False)
    assert rows.once("steps", object, for_all=False) is first
    assert keeper.rows(FIT).once("steps", object, for_all=False) is not first


@pytest.mark.parametrize("layout", [np.asarray, sp.csr_matrix])
def test_nobody_can_write_to_rows_that_others_read(layout):
    shared = FoldKeeper(workload(layout)).rows(FIT).shared_test()
    for array in (
        getattr(shared.X, "data", None) if sp.issparse(shared.X) else shared.X,
        shared.y,
        shared.sample_weight,
    ):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 9


def test_rows_that_are_handed_out_are_the_callers_own():
    keeper = FoldKeeper(workload())
    for take in (keeper.rows(FIT).training, keeper.rows(FIT).test):
        take().X[:] = np.nan
        assert not np.isnan(take().X).any()
