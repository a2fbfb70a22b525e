"""Hand short fits to a pool several at a time: sending a fit of two milliseconds takes longer than the fit.

How many is learned from how long they took, so that a batch is worth a fraction of a second: long enough that sending
it is nothing, short enough that results are seen as they come and that the last batches end together. Fits that wait
are kept here, in order, and only a few batches are with the pool at any time.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Protocol

from tuning.engines.ledger import Ledger
from tuning.plan import Fit
from tuning.results.sweep_result import FoldScore

_SECONDS = 0.3  # worth of fits in a batch
_AHEAD = 2  # batches with the pool for every worker, so that none waits for its next

Scores = list[FoldScore]


class Pool(Protocol):
    """What takes batches: an executor, with a function that runs one."""

    def __call__(self, fits: Sequence[Fit]) -> Future[tuple[list[Scores], float]]:
        """Run `fits` one after the other, and return their scores and the seconds that they took."""


class Batches:
    """Fits on their way to a pool.

    Parameters
    ----------
    pool : Pool
    workers : int
    explain : callable
        Turns what the pool raises into what a fit's future is to raise.
    ledger : Ledger, optional
        Where to note what is with the pool; by default nobody reads it.
    """

    def __init__(
        self,
        pool: Pool,
        workers: int,
        explain: Callable[[BaseException], BaseException] = lambda error: error,
        ledger: Ledger | None = None,
    ) -> None:
        self._pool = pool
        self._ledger = ledger or Ledger()
        self._explain = explain
        self._workers = workers
        self._waiting: deque[tuple[Fit, Future[Scores]]] = deque()
        self._sent = 0
        self._seconds: float | None = None
        self._changed = threading.Condition()

    def submit(self, fit: Fit) -> Future[Scores]:
        """Queue one fit."""
        future: Future[Scores] = Future()
        with self._changed:
            self._waiting.append((fit, future))
        self._send()
        return future

    def wait(self) -> None:
        """Return when nothing waits and nothing runs."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting and not self._sent)

    def cancel(self) -> None:
        """Drop what has not been sent."""
        with self._changed:
            dropped = [future for _, future in self._waiting]
            self._waiting.clear()
        for future in dropped:
            future.cancel()

    def _send(self) -> None:
        """Give the pool batches until it has enough."""
        while batch := self._next_batch():
            fits, futures = [fit for fit, _ in batch], [future for _, future in batch]
            for fit in fits:
                self._ledger.began(fit)
            try:
                running = self._pool(fits)
            except Exception as error:  # the pool is lost, and these fits with it
                self._ended(partial(_fail, futures, self._explain(error)))
            else:
                running.add_done_callback(partial(self._take, fits, futures))

    def _next_batch(self) -> list[tuple[Fit, Future[Scores]]]:
        with self._changed:
            if self._sent >= _AHEAD * self._workers:
                return []
            size = self._size()
            batch: list[tuple[Fit, Future[Scores]]] = []
            while self._waiting and len(batch) < size:
                if batch and self._waiting[0][0].threads != batch[0][0].threads:
                    break
                fit, future = self._waiting.popleft()
                if future.set_running_or_notify_cancel():
                    batch.append((fit, future))
            self._sent += bool(batch)
            return batch

    def _size(self) -> int:
        """Fits in the next batch: one until it is known how long they take, and a fair share of those that wait."""
        if not self._seconds:
            return 1
        share = -(-len(self._waiting) // (_AHEAD * self._workers))
        return max(1, min(share, int(_SECONDS / self._seconds)))

    def _take(self, fits: list[Fit], futures: list[Future[Scores]], ended: Future[tuple[list[Scores], float]]) -> None:
        error = RuntimeError("cancelled") if ended.cancelled() else ended.exception()
        if error is not None:
            self._ended(partial(_fail, futures, self._explain(error)))
        else:
            scores, seconds = ended.result()
            self._seconds = max(seconds / len(futures), 1e-6)
            for fit, found in zip(fits, scores, strict=True):
                self._ledger.ended(fit, found, self._seconds)
            self._ended(partial(_resolve, futures, scores))
        self._send()

    def _ended(self, resolve: Callable[[], None]) -> None:
        """Resolve the futures of a batch, and let who waits for the end know."""
        resolve()
        with self._changed:
            self._sent -= 1
            self._changed.notify_all()


def _resolve(futures: Sequence[Future[Scores]], scores: Sequence[Scores]) -> None:
    for future, found in zip(futures, scores, strict=True):
        future.set_result(found)


def _fail(futures: Sequence[Future[Scores]], error: BaseException) -> None:
    for future in futures:
        future.set_exception(error)


def timed(run: Callable[[Fit], Scores], fits: Sequence[Fit]) -> tuple[list[Scores], float]:
    """Run `fits` in a worker, one after the other."""
    begun = time.perf_counter()
    return [run(fit) for fit in fits], time.perf_counter() - begun
