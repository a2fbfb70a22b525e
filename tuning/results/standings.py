"""The table that fills while a sweep runs: who has scored what on which fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tuning.candidates import Candidate
from tuning.learners.curves import at_round, best_rounds
from tuning.results.fold_score import FoldScore


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
        """Return the table with every candidate's scores taken at the round that its folds chose together."""
        settled = Standings()
        for candidate, folds in self._scores.items():
            settled._scores[candidate], rounds = settle(folds)
            if rounds is not None and all(score.curves for score in folds.values()):
                settled.rounds[candidate] = rounds
        return settled


def settle(folds: Mapping[int, FoldScore]) -> tuple[dict[int, FoldScore], int | None]:
    """Take a candidate's scores at the round that its folds choose together.

    Until all folds are there this is not known: a fold that scores at its own best round has a score that no model has.

    Parameters
    ----------
    folds : mapping of int to FoldScore
        By the fold's index. One that failed takes no part in the choice.

    Returns
    -------
    tuple of dict and int or None
        The scores, and the round; as they came, and None, where training was not stopped early.
    """
    curves = [next(iter(score.curves.values())) for score in folds.values() if score.curves]
    if not curves:
        return dict(folds), None
    rounds = best_rounds(curves)
    taken = {k: replace(s, scores=at_round(s.curves, rounds)) if s.curves else s for k, s in folds.items()}
    return taken, rounds
