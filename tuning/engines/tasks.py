"""A fit on its way through a pool, and what becomes of it when it does not come back by itself."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial

from tuning.engines.ledger import Ledger
from tuning.plan import Fit
from tuning.results.fold_score import FoldScore

Scores = list[FoldScore]


@dataclass(eq=False)
class Task:
    """One fit and the future that waits for it.

    Attributes
    ----------
    fit : Fit
    ledger : Ledger
        Is told where the fit is, from the moment that the task is made.
    future : Future of list of FoldScore
    alone : bool
        Whether it is under suspicion: it gets a worker to itself, and is judged by what it does to that one.
    only : bool
        Whether nothing else may run meanwhile, so that no neighbour takes the memory that it needs.
    """

    fit: Fit
    ledger: Ledger = field(default_factory=Ledger)
    future: Future[Scores] = field(default_factory=Future)
    alone: bool = False
    only: bool = False
    _begun: bool = False
    _booked: bool = False

    def __post_init__(self) -> None:
        self.ledger.submitted(self.fit)
        self._booked = True
        self.future.add_done_callback(lambda future: self._strike() if future.cancelled() else None)

    def _strike(self) -> None:
        """Take it out of the books, as what will not be run to its end."""
        if self._booked:
            self._booked = False
            self.ledger.dropped(self.fit)

    def begin(self) -> bool:
        """Whether it is still wanted; from then on it cannot be dropped by cancelling its future."""
        if not self._begun:
            self._begun = self.future.set_running_or_notify_cancel()
        return self._begun

    def send(self) -> None:
        """Note that a worker has it."""
        self.ledger.began(self.fit)

    def wait_again(self) -> None:
        """Note that the worker that had it has not run it to its end."""
        self.ledger.waits_again(self.fit)

    def end(self, scores: Scores, seconds: float | None = None) -> None:
        """Give the future what it waits for, unless it has been given something already."""
        if self._booked:
            self._booked = False
            self.ledger.ended(self.fit, scores, seconds)
        if not self.future.done():
            self.future.set_result(scores)

    def fail(self, reason: str) -> None:
        """Give every candidate of the fit `reason` for its score."""
        self.end(failed(self.fit, reason))

    def lose(self, error: BaseException) -> None:
        """Give the future `error` to raise."""
        self._strike()
        if not self.future.done():
            self.future.set_exception(error)

    def parts(self) -> list[Task]:
        """Take the fit apart, so that each candidate is judged by itself; what they give becomes the fit's."""
        self._strike()
        count = len(self.fit.candidates)
        fits = [replace(self.fit, candidates=(each,), cost=self.fit.cost / count) for each in self.fit.candidates]
        parts = [Task(fit, self.ledger, alone=self.alone, only=self.only) for fit in fits]
        gathered = _Gathered(self, parts)
        for part in parts:
            part.future.add_done_callback(partial(gathered.ended))
        return parts


class _Gathered:
    """Ends a task when all its parts have ended."""

    def __init__(self, whole: Task, parts: Sequence[Task]) -> None:
        self._whole = whole
        self._parts = parts
        self._left = len(parts)
        self._lock = threading.Lock()

    def ended(self, _: Future[Scores]) -> None:
        with self._lock:
            self._left -= 1
            if self._left:
                return
        futures = [part.future for part in self._parts]
        error = next((future.exception() for future in futures if not future.cancelled() and future.exception()), None)
        if error is not None or any(future.cancelled() for future in futures):
            self._whole.lose(error or RuntimeError("cancelled"))
        else:
            self._whole.end([score for future in futures for score in future.result()])


def taken(waiting: deque[Task], count: int) -> list[Task]:
    """Take up to `count` tasks from the head of what waits, either one alone or others; drop the cancelled."""
    found: list[Task] = []
    while waiting and len(found) < count and not (found and (found[0].alone or waiting[0].alone)):
        task = waiting.popleft()
        if task.begin():
            found.append(task)
    return found


def failed(fit: Fit, reason: str) -> Scores:
    """Return `reason` as what every candidate of `fit` has come to this time; a later sweep tries again."""
    share = fit.rows * fit.rounds
    return [FoldScore(each, fit.fold, error=reason, share=share, lost=True) for each in fit.candidates]


def too_long(limit: float) -> str:
    """Say that a fit was ended for taking longer than `limit` seconds."""
    return f"it took longer than budget.max_fit_time ({limit:g} s)"
