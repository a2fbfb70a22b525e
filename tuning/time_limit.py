"""When a sweep's time is up: first no more fits begin, then those that still run are given up.

A fit that has begun is worth its end, so it may go on; but not for ever, since it may hang. What the longest fit has
taken so far says how long is reasonable.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tuning.results.fold_score import FoldScore

_LEAST_GRACE = 10.0


class TimeLimit:
    """The time that a sweep may take.

    Parameters
    ----------
    begun : float
        When the sweep began, by `clock`.
    seconds : float or None
        None where it may take any.
    clock : callable
        Returns seconds.
    """

    def __init__(self, begun: float, seconds: float | None, clock: Callable[[], float] = time.perf_counter) -> None:
        self._until = None if seconds is None else begun + seconds
        self._seconds = seconds or 0.0
        self._clock = clock
        self._longest = 0.0

    def seen(self, scores: Sequence[FoldScore]) -> None:
        """Learn from a fit that has ended how long others may take."""
        self._longest = max(self._longest, sum(score.fit_seconds + score.score_seconds for score in scores))

    def is_up(self) -> bool:
        """Whether no fit is to begin any more."""
        return self._until is not None and self._clock() >= self._until

    def until_no_more_begin(self) -> float | None:
        """Seconds; None where there is no limit."""
        return None if self._until is None else max(0.0, self._until - self._clock())

    def until_given_up(self) -> float:
        """Seconds until fits that still run are given up, where there is a limit."""
        longest = 2 * self._longest if self._longest else self._seconds
        grace = max(_LEAST_GRACE, min(longest, self._seconds))
        return max(0.0, (self._until or 0.0) + grace - self._clock())

    @property
    def reason(self) -> str:
        """Why a fit was given up."""
        return f"it ran on long after budget.max_time ({self._seconds:g} s) was over"
