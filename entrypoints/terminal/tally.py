"""How far a sweep is: fits and candidates done, the best so far, who failed and why."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tuning.candidates import Candidate
from tuning.learners.curves import at_round, best_rounds
from tuning.pace import Range
from tuning.results.failures import Failures
from tuning.results.fold_score import FoldScore

SHOWN = 5


@dataclass(frozen=True)
class Standing:
    """A candidate as it stands.

    Attributes
    ----------
    candidate : Candidate
    mean : float
        Over the folds that it has had.
    n_folds : int
    share : float
        Of rows and rounds that it has had on them.
    is_whole : bool
        Whether that was every fold in full; else the mean may still change.
    """

    candidate: Candidate
    mean: float
    n_folds: int
    share: float
    is_whole: bool


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
    fit_seconds : dict of Candidate to float
        Mean time of a fit of each of the best.
    tried : Counter of tuple
        How many candidates have had a fold, by share of rows and rounds, and by fold.
    """

    n_candidates: int | None
    n_folds: int
    scorer: str
    may_stop: bool = False
    n_done: int = 0
    n_whole: int = 0
    n_failed: int = 0
    failures: Failures = field(default_factory=Failures)
    fit_seconds: dict[Candidate, float] = field(default_factory=dict)
    tried: Counter[tuple[float, int]] = field(default_factory=Counter)
    _best: list[Standing] = field(default_factory=list)
    _partial: dict[Candidate, dict[int, FoldScore]] = field(default_factory=dict)
    _fold_sums: dict[tuple[float, int], tuple[float, int]] = field(default_factory=dict)

    def add(self, scores: Sequence[FoldScore]) -> None:
        """Count fits that have just ended."""
        self.failures.add(scores)
        for score in scores:
            self.n_done += 1
            self.tried[score.share, score.fold] += 1
            folds = self._partial.setdefault(score.candidate, {})
            if score.fold not in folds or folds[score.fold].share <= score.share:
                folds[score.fold] = score
            value = score.scores.get(self.scorer, math.nan)
            if not math.isnan(value):
                total, count = self._fold_sums.get((score.share, score.fold), (0.0, 0))
                self._fold_sums[score.share, score.fold] = total + value, count + 1
            if len(folds) == self.n_folds and all(each.share == 1.0 for each in folds.values()):
                self._judge(score.candidate, list(self._partial.pop(score.candidate).values()))

    @property
    def n_total(self) -> int | None:
        """Fits in all: candidates times folds; None where some may be stopped."""
        return None if self.n_candidates is None or self.may_stop else self.n_candidates * self.n_folds

    @property
    def best(self) -> tuple[float, Candidate] | None:
        """Highest mean score among the candidates whose folds have all ended."""
        return (self._best[0].mean, self._best[0].candidate) if self._best else None

    def leaders(self) -> list[Standing]:
        """Return the best five: of those judged in full, then of those still on their way.

        Folds differ in how hard they are, so candidates on their way are compared by how much better than the others
        they were on each.
        """
        missing = SHOWN - len(self._best)
        if missing <= 0:
            return list(self._best)
        lead = {candidate: self._lead(folds) for candidate, folds in self._partial.items()}
        ahead = heapq.nlargest(missing, (each for each in lead if lead[each] > (0.0, -math.inf)), key=lead.__getitem__)
        return [*self._best, *(self._standing(each, list(self._partial[each].values())) for each in ahead)]

    def counts(self) -> str:
        """Words for what is done: ``12/20 fits, 2/4 candidates``."""
        counts = f"{self.n_done:,}{_of(self.n_total)} fits, {self.n_whole:,}{_of(self.n_candidates)} candidates"
        return f"{counts}, {self.n_failed:,} failed" if self.n_failed else counts

    def standing(self) -> str:
        """Words for the best so far, empty before there is one."""
        leaders = self.leaders()[:1]
        return "".join(
            f"best {self.scorer} {number(each.mean)}{self.so_far(each)} ({each.candidate.name})" for each in leaders
        )

    def so_far(self, standing: Standing) -> str:
        """Say on what the mean was made, where it is not final."""
        if standing.is_whole:
            return ""
        on = f" on {standing.n_folds} of {self.n_folds} folds"
        return on if standing.share == 1.0 else f"{on} at {standing.share:.0%}"

    def _judge(self, candidate: Candidate, scores: Sequence[FoldScore]) -> None:
        self.n_whole += 1
        if any(score.error for score in scores):
            self.n_failed += 1
            return
        standing = self._standing(candidate, scores)
        if not math.isnan(standing.mean):
            self._best = heapq.nlargest(SHOWN, [*self._best, standing], key=lambda each: each.mean)
            self.fit_seconds[candidate] = sum(score.fit_seconds for score in scores) / len(scores)
            self.fit_seconds = {each.candidate: self.fit_seconds[each.candidate] for each in self._best}

    def _standing(self, candidate: Candidate, scores: Sequence[FoldScore]) -> Standing:
        is_whole = len(scores) == self.n_folds and all(score.share == 1.0 for score in scores)
        share = max(score.share for score in scores)
        alike = [score for score in scores if score.share == share]
        return Standing(candidate, self._mean(alike), len(alike), share, is_whole)

    def _mean(self, scores: Sequence[FoldScore]) -> float:
        """Mean over the folds; where rounds are chosen by all folds together, at the number that these would choose."""
        if all(score.curves for score in scores):
            deciding = [score.curves[self.scorer] for score in scores]
            rounds = best_rounds(deciding)
            values = [at_round({self.scorer: curve}, rounds)[self.scorer] for curve in deciding]
        else:
            values = [score.scores.get(self.scorer, math.nan) for score in scores]
        return math.fsum(values) / len(values)

    def _lead(self, folds: dict[int, FoldScore]) -> tuple[float, float]:
        """How far a candidate is, and by how much it beats the mean of the others on its folds."""
        share = max(score.share for score in folds.values())
        leads = []
        for fold, score in folds.items():
            value = score.scores.get(self.scorer, math.nan)
            if math.isnan(value):
                return 0.0, -math.inf
            if score.share == share:
                total, count = self._fold_sums[share, fold]
                leads.append(value - total / count)
        return share, sum(leads) / len(leads)


def number(score: float) -> str:
    """Write a score with five decimals, or six digits where it is large."""
    return f"{score:.5f}" if abs(score) < 1000 else f"{score:.6g}"


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


def span(seconds: Range) -> str:
    """Words for a time that is not known exactly: ``20 to 40 s``, ``1 to 3 min``, ``about 5 s``."""
    for size, unit, step in ((3600, "h", 0.5), (60, "min", 1), (1, "s", 5), (1, "s", 1)):
        if seconds.high >= 2 * size * step:
            low, high = step * math.floor(seconds.low / size / step), step * math.ceil(seconds.high / size / step)
            return f"{low:g} to {high:g} {unit}" if low else f"up to {high:g} {unit}"
    return "a moment"


def _of(total: int | None) -> str:
    return "" if total is None else f"/{total:,}"
