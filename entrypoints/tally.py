"""How far a sweep is: fits and candidates done, the best so far, the time left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from tuning.candidates import Candidate
from tuning.results.sweep_result import FoldScore


@dataclass
class Tally:
    """Counts what has ended.

    Attributes
    ----------
    n_candidates : int or None
        In all; None where the strategy does not know it beforehand.
    n_folds : int
    scorer : str
        The one that chooses the winner.
    may_stop : bool
        Whether candidates may be stopped early, so that the fits in all are not known.
    best : tuple of float and Candidate, or None
        Highest mean score among the candidates whose folds have all ended.
    """

    n_candidates: int | None
    n_folds: int
    scorer: str
    may_stop: bool = False
    n_done: int = 0
    n_whole: int = 0
    n_failed: int = 0
    best: tuple[float, Candidate] | None = None
    _partial: dict[Candidate, list[FoldScore]] = field(default_factory=dict)

    def add(self, scores: Sequence[FoldScore]) -> None:
        """Count fits that have just ended."""
        for score in scores:
            self.n_done += 1
            if score.share < 1.0:
                continue  # a lower rung of halving: no score to compare with those of others
            so_far = self._partial.setdefault(score.candidate, [])
            so_far.append(score)
            if len(so_far) == self.n_folds:
                self._judge(score.candidate, self._partial.pop(score.candidate))

    @property
    def n_total(self) -> int | None:
        """Fits in all: candidates times folds; None where some may be stopped."""
        return None if self.n_candidates is None or self.may_stop else self.n_candidates * self.n_folds

    def counts(self) -> str:
        """Words for what is done: ``12/20 fits, 2/4 candidates``."""
        counts = f"{self.n_done}{_of(self.n_total)} fits, {self.n_whole}{_of(self.n_candidates)} candidates"
        return f"{counts}, {self.n_failed} failed" if self.n_failed else counts

    def standing(self) -> str:
        """Words for the best so far, empty before there is one."""
        return f"best {self.scorer} {self.best[0]:.5f} ({self.best[1].name})" if self.best else ""

    def left(self, elapsed: float) -> str:
        """Words for the time left at the pace so far, empty where it cannot be told; `elapsed` in seconds."""
        if self.n_total is None or not 0 < self.n_done < self.n_total:
            return ""
        return f"about {duration(elapsed / self.n_done * (self.n_total - self.n_done))} left"

    def _judge(self, candidate: Candidate, scores: Sequence[FoldScore]) -> None:
        self.n_whole += 1
        if any(score.error for score in scores):
            self.n_failed += 1
            return
        mean = math.fsum(score.scores[self.scorer] for score in scores) / len(scores)
        if not math.isnan(mean) and (self.best is None or mean > self.best[0]):
            self.best = (mean, candidate)


def duration(seconds: float) -> str:
    """Words for a time: ``0.4 s``, ``42 s``, ``3 min 05 s``, ``2 h 10 min``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def _of(total: int | None) -> str:
    return "" if total is None else f"/{total}"
