"""The table that fills while a sweep runs: who has scored what on which fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tuning.candidates import Candidate
from tuning.learners.curves import at_round, best_rounds
from tuning.results.sweep_result import FoldScore


class Standings:
    """Scores by candidate and fold; of several on one fold, the one on the largest share stays."""

    def __init__(self) -> None:
        self._scores: dict[Candidate, dict[int, FoldScore]] = {}
        self.rounds: dict[Candidate, int] = {}

    @property
    def candidates(self) -> list[Candidate]:
        """In the order of proposal."""
        return list(self._scores)

    def expect(self, candidates: Sequence[Candidate]) -> None:
        """Give candidates their place before their first score."""
        for candidate in candidates:
            self._scores.setdefault(candidate, {})

    def add(self, scores: Sequence[FoldScore]) -> None:
        """Take in scores."""
        for score in scores:
            folds = self._scores[score.candidate]
            if score.fold not in folds or folds[score.fold].share <= score.share:
                folds[score.fold] = score

    def fold_scores(self) -> Mapping[Candidate, Sequence[FoldScore]]:
        """Scores of each candidate, ordered by fold."""
        return {candidate: [folds[k] for k in sorted(folds)] for candidate, folds in self._scores.items()}

    def settled(self) -> Standings:
        """Return the table with every candidate's scores taken at the round that its folds chose together.

        A candidate that failed on some fold has no such round, and keeps what it has.
        """
        settled = Standings()
        for candidate, folds in self._scores.items():
            if folds and all(score.curves for score in folds.values()):
                rounds = best_rounds([next(iter(score.curves.values())) for score in folds.values()])
                folds = {k: replace(score, scores=at_round(score.curves, rounds)) for k, score in folds.items()}
                settled.rounds[candidate] = rounds
            settled._scores[candidate] = folds
        return settled
