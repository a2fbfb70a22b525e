"""What strategies that go in laps have in common: nothing new is proposed until all of the last lap is told.

Waiting for the whole lap costs a little idle time at its end and buys repeatability: proposals depend on scores,
never on which worker was quicker.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tuning.candidates import Candidate
from tuning.results.fold_score import FoldScore
from tuning.strategies.base import Proposal


class LapOfScores:
    """Collects the scores of one lap of proposals.

    Parameters
    ----------
    scorer : str
    n_folds : int
    """

    def __init__(self, scorer: str, n_folds: int) -> None:
        self._scorer = scorer
        self._n_folds = n_folds
        self._awaited: set[tuple[Candidate, int]] = set()
        self.scores: dict[Candidate, dict[int, float]] = {}

    @property
    def complete(self) -> bool:
        """Whether all that was proposed has been told."""
        return not self._awaited

    def propose(self, proposals: Sequence[Proposal]) -> Sequence[Proposal]:
        """Await the scores of `proposals`, and return them."""
        self._awaited = {
            (proposal.candidate, fold)
            for proposal in proposals
            for fold in (range(self._n_folds) if proposal.folds is None else proposal.folds)
        }
        return proposals

    def tell(self, scores: Sequence[FoldScore]) -> None:
        """Take in scores; a failed fit counts as NaN."""
        for score in scores:
            self._awaited.discard((score.candidate, score.fold))
            value = score.scores.get(self._scorer, math.nan)
            self.scores.setdefault(score.candidate, {})[score.fold] = value

    def splits(self, candidate: Candidate) -> list[float]:
        """Scores of a candidate in fold order."""
        return [score for _, score in sorted(self.scores.get(candidate, {}).items())]

    def mean(self, candidate: Candidate) -> float:
        """Mean score of a candidate, minus infinity where a fit failed."""
        splits = self.splits(candidate)
        mean = math.fsum(splits) / len(splits) if splits else math.nan
        return -math.inf if math.isnan(mean) else mean
