"""When each fit of a sweep ran, as it was seen to end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tuning.candidates import Candidate
from tuning.results.fold_score import FoldScore
from tuning.results.sweep_result import SweepResult
from tuning.spec.sweep_spec import SweepSpec


@dataclass(frozen=True)
class Span:
    """One fit, of one fold and the candidates that shared it.

    Attributes
    ----------
    began, ended : float
        Seconds since the sweep's begin.
    fold : int
    candidates : tuple of Candidate
    failed : bool
    """

    began: float
    ended: float
    fold: int
    candidates: tuple[Candidate, ...]
    failed: bool


class Timeline:
    """An observer that notes when fits end; how long they took they say themselves.

    Engines tell no beginnings, so a fit's is its end less the time that it took: a little late where it had waited for
    its data, never early.

    Attributes
    ----------
    spans : list of Span
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.spans: list[Span] = []
        self._clock = clock
        self._began = clock()

    def started(self, spec: SweepSpec, n_candidates: int | None, n_folds: int) -> None:
        """Begin to count."""
        self._began = self._clock()

    def scored(self, scores: list[FoldScore]) -> None:
        """Note a fit: the longest of its candidates' fits, which the others are parts of, and all their scoring."""
        ended = self._clock() - self._began
        fitted = [score for score in scores if not score.reused]
        for fold in dict.fromkeys(score.fold for score in fitted):
            mine = [score for score in fitted if score.fold == fold]
            took = max(score.fit_seconds for score in mine) + sum(score.score_seconds for score in mine)
            failed = any(score.error for score in mine)
            self.spans.append(Span(max(0.0, ended - took), ended, fold, tuple(s.candidate for s in mine), failed))

    def ended(self, result: SweepResult) -> None:
        """Nothing: all is noted."""


def lanes(spans: Sequence[Span]) -> list[int]:
    """Return the lane of each span, so that none overlaps another: the first that is free."""
    free: list[float] = []
    found = [0] * len(spans)
    for place in sorted(range(len(spans)), key=lambda place: spans[place].began):
        span = spans[place]
        lane = next((lane for lane, until in enumerate(free) if until <= span.began + 1e-3), len(free))
        free[lane : lane + 1] = [span.ended]
        found[place] = lane
    return found
