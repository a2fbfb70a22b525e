"""Short fits travel together, long ones alone; each ends with its own scores, in the order of the queue."""

from concurrent.futures import Future

import pytest

from tuning import Candidate, Fit, FoldScore
from tuning.engines.batches import Batches
from tuning.engines.ledger import Ledger


class Pool:
    """Keeps what it is given until a test says how long it took."""

    def __init__(self):
        self.given = []

    def __call__(self, fits):
        future = Future()
        self.given.append((list(fits), future))
        return future

    def end(self, seconds_each):
        fits, future = self.given.pop(0)
        scores = [[FoldScore(fit.candidates[0], fit.fold)] for fit in fits]
        future.set_result((scores, seconds_each * len(fits)))
        return len(fits)


def fits(count, threads=1):
    return [Fit(0, (Candidate({"number": number}),), threads=threads) for number in range(count)]


@pytest.fixture
def pool():
    return Pool()


def test_short_fits_travel_together_once_it_is_known_that_they_are_short(pool):
    batches = Batches(pool, 2)
    futures = [batches.submit(fit) for fit in fits(400)]
    sizes = []
    while pool.given:
        sizes.append(pool.end(0.002))
    assert sizes[:4] == [1, 1, 1, 1]
    assert max(sizes) > 50
    assert sizes[-1] == 1, "the last batches are small, so that all workers end together"
    assert [future.result()[0].candidate.params["number"] for future in futures] == list(range(400))


def test_long_fits_travel_alone(pool):
    batches = Batches(pool, 2)
    for fit in fits(40):
        batches.submit(fit)
    sizes = []
    while pool.given:
        sizes.append(pool.end(2.0))
    assert set(sizes) == {1}


def test_only_a_few_batches_are_with_the_pool_and_the_rest_can_be_cancelled(pool):
    batches = Batches(pool, 2)
    futures = [batches.submit(fit) for fit in fits(10)]
    assert len(pool.given) == 4
    assert futures[9].cancel()
    assert not futures[0].cancel(), "it runs"
    batches.cancel()
    assert all(future.cancelled() for future in futures[4:])
    while pool.given:
        pool.end(0.1)
    batches.wait()


def test_fits_of_different_threads_do_not_share_a_batch(pool):
    batches = Batches(pool, 1)
    for fit in [*fits(20), *fits(20, threads=2)]:
        batches.submit(fit)
    while pool.given:
        assert len({fit.threads for fit in pool.given[0][0]}) == 1
        pool.end(0.001)


def test_a_worker_that_dies_fails_what_was_in_its_batch_and_what_a_lost_pool_refuses(pool):
    batches = Batches(pool, 1)
    futures = [batches.submit(fit) for fit in fits(4)]
    batches._pool = lambda fits: (_ for _ in ()).throw(RuntimeError("no workers"))
    while pool.given:
        pool.given.pop(0)[1].set_exception(RuntimeError("killed"))
    assert [str(future.exception()) for future in futures] == ["killed", "killed", "no workers", "no workers"]
    batches.wait()


def test_the_ledger_has_what_is_with_the_pool_and_the_seconds_that_the_pool_counts(pool):
    ledger = Ledger()
    batches = Batches(pool, 1, ledger=ledger)
    for fit in fits(3):
        ledger.submitted(fit)
        batches.submit(fit)
    assert (ledger.state().waiting.n, len(ledger.state().running)) == (1, 2)
    while pool.given:
        pool.end(2.0)
    state = ledger.state()
    assert (state.waiting.n, state.running, state.pace.seconds) == (0, (), 6.0)
