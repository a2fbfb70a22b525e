"""What the fits of a sweep are doing now: how many wait, which run and how far each has come, what the ended ones took.

Engines write it and whoever shows progress reads it, so that a person hears of a fit that takes minutes long before it
ends. Pulled rather than pushed: a fit of two milliseconds pays for an addition, and nobody is called from the thread
that trains.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from tuning.control import Overseer
from tuning.pace import Pace, Range, Work
from tuning.plan import Fit
from tuning.results.fold_score import FoldScore

_NONE = Work()
_LEAST_TIMED = 0.01  # the share of a fit's rounds that must have been timed


@dataclass(frozen=True)
class Running:
    """A fit that a worker has.

    Attributes
    ----------
    fit : Fit
    began : float
        On the ledger's clock.
    rounds : tuple of int, or None
        Rounds that are done of what is trained now, and of how many; None where nobody tells.
    share : float or None
        Of the fit's work that is done.
    first : tuple of float, or None
        When the first share was told, and that share: what lies before is preparation.
    """

    fit: Fit
    began: float
    rounds: tuple[int, int] | None = None
    share: float | None = None
    first: tuple[float, float] | None = None

    def whole(self, at: float) -> float | None:
        """Seconds that all of it will take, as it looks at the moment `at`; None where that cannot be told yet."""
        if self.first is None or self.share is None or self.share - self.first[1] < _LEAST_TIMED:
            return None
        since, from_share = self.first
        return since - self.began + (at - since) * (1 - from_share) / (self.share - from_share)

    def left(self, pace: Pace, at: float) -> Range:
        """Say how long it will go on: by its own rounds, else by what others took, else not at all."""
        elapsed, whole = at - self.began, self.whole(at)
        if whole is not None:
            return Range(0.9 * (whole - elapsed), 1.1 * (whole - elapsed))
        if not pace:
            return Range()
        expected = pace.foretell(Work.of(self.fit))
        return Range(max(0.0, expected.low - elapsed), max(0.05 * expected.high, expected.high - elapsed))


@dataclass(frozen=True)
class State:
    """The ledger at one moment.

    Attributes
    ----------
    at : float
        On the ledger's clock.
    waiting : Work
    running : tuple of Running
        The longest first. Some may only be on their way to a worker.
    pace : Pace
        What ended fits have taken.
    cell : Work
        One candidate on one fold in full, the mean of those asked for so far.
    sound : float
        The share of ended fits in which some candidate has not failed: others fail in no time.
    """

    at: float
    waiting: Work
    running: tuple[Running, ...]
    pace: Pace
    cell: Work = _NONE
    sound: float = 1.0

    def left(self, workers: int, ahead: tuple[Work, Work] = (_NONE, _NONE)) -> Range | None:
        """Say how long the fits go on; None where it cannot be told yet.

        Parameters
        ----------
        workers : int
        ahead : tuple of Work
            What will still be asked for at least, and at most.
        """
        pace = self.pace or self._running_pace()
        if not pace:
            return None
        going_on = [each.left(pace, self.at) for each in self.running]
        least, most = (pace.foretell(self.waiting + more) for more in ahead)
        total = sum(going_on, Range(self.sound * least.low, most.high)).over(max(1, workers))
        return total.at_least(Range(*(max(ends, default=0.0) for ends in _columns(going_on))))

    def _running_pace(self) -> Pace:
        """Before any fit has ended, those that run and tell of their rounds stand for it."""
        pace = Pace()
        for each in self.running:
            if (whole := each.whole(self.at)) is not None:
                pace = pace.seen(Work.of(each.fit), whole)
        return pace


def _columns(ranges: Sequence[Range]) -> tuple[list[float], list[float]]:
    return [each.low for each in ranges], [each.high for each in ranges]


class Ledger:
    """Keeps the books of one engine; safe to use from any thread.

    Parameters
    ----------
    clock : callable
        Returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting = Work()
        self._running: dict[Fit, Running] = {}
        self._pace = Pace()
        self._asked = Work()
        self._n_cells = 0
        self._n_ended = self._n_failed = 0
        self._counts: Counter[tuple[float, int]] = Counter()

    def state(self) -> State:
        """Return what there is to know now."""
        with self._lock:
            running = tuple(sorted(self._running.values(), key=lambda each: each.began))
            cell = self._asked.times(1 / max(1, self._n_cells))
            sound = 1 - self._n_failed / max(1, self._n_ended)
            return State(self._clock(), self._waiting, running, self._pace, cell, sound)

    def counts(self) -> Mapping[tuple[float, int], int]:
        """Return how many candidates have been asked for, by share of rows and rounds, and by fold."""
        with self._lock:
            return dict(self._counts)

    def submitted(self, fit: Fit) -> None:
        """Note that `fit` waits; before a worker can have it."""
        n_cells = len(fit.candidates)
        with self._lock:
            self._waiting += Work.of(fit)
            self._asked += Work(1.0, fit.cost / max(fit.rounds, 1e-9))  # as if it were in full
            self._n_cells += n_cells
            self._counts[fit.rows * fit.rounds, fit.fold] += n_cells

    def began(self, fit: Fit) -> None:
        """Note that a worker has, or will at once have, `fit`."""
        with self._lock:
            self._waiting -= Work.of(fit)
            self._running[fit] = Running(fit, self._clock())

    def waits_again(self, fit: Fit) -> None:
        """Note that `fit` waits once more: the worker that had it is lost."""
        with self._lock:
            if self._running.pop(fit, None) is not None:
                self._waiting += Work.of(fit)

    def at(self, fit: Fit, share: float, rounds: tuple[int, int]) -> None:
        """Note how far `fit` has come."""
        with self._lock:
            known = self._running.get(fit)
            if known is not None:
                first = known.first or (self._clock(), share)
                self._running[fit] = replace(known, share=share, rounds=rounds, first=first)

    def ended(self, fit: Fit, scores: Sequence[FoldScore] = (), seconds: float | None = None) -> None:
        """Note that `fit` has ended, after so many seconds where the engine knows better than by the clock.

        One that has only failed says nothing of how long others take.
        """
        failed = bool(scores) and all(score.error for score in scores)
        with self._lock:
            known = self._running.pop(fit, None)
            self._n_ended += 1
            self._n_failed += failed
            if known is not None and not failed:
                self._pace = self._pace.seen(Work.of(fit), self._clock() - known.began if seconds is None else seconds)

    def dropped(self, fit: Fit) -> None:
        """Note that `fit` will not be run to its end."""
        with self._lock:
            if self._running.pop(fit, None) is None:
                self._waiting -= Work.of(fit)


class FitControl:
    """The control of one fit: the engine's own answers, and the ledger for what the fit tells.

    Parameters
    ----------
    engine : Overseer
    ledger : Ledger
    fit : Fit
    """

    def __init__(self, engine: Overseer, ledger: Ledger, fit: Fit) -> None:
        self.cancelled, self.threads = engine.cancelled, engine.threads
        self._ledger, self._fit = ledger, fit
        self._part = (0.0, 1.0)

    def at_round(self, done: int, of: int) -> None:
        """Note the round, and what it means for the whole fit."""
        begin, end = self._part
        self._ledger.at(self._fit, begin + (end - begin) * min(1.0, done / max(1, of)), (done, of))

    def at_part(self, begin: float, end: float) -> None:
        """Remember which part of the fit is trained now."""
        self._part = (begin, end)
