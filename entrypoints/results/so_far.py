"""What a sweep has come to when it is interrupted."""

from __future__ import annotations

import numpy as np

from tracking import EntryRun
from tuning.results.fold_score import FoldScore
from tuning.results.standings import Standings
from tuning.results.sweep_result import SweepResult
from tuning.spec.sweep_spec import SweepSpec


class SoFar:
    """An observer that has the best candidate at hand, for the last words of a run that is interrupted.

    Parameters
    ----------
    run : EntryRun
    """

    def __init__(self, run: EntryRun) -> None:
        self._standings = Standings()
        self._n_folds, self._scorer = 0, ""
        run.last_words.append(self.words)

    def started(self, spec: SweepSpec, n_candidates: int | None, n_folds: int) -> None:
        """Remember by which scorer candidates compare."""
        self._n_folds, self._scorer = n_folds, spec.refit_scorer

    def scored(self, scores: list[FoldScore]) -> None:
        """Remember these scores."""
        whole = [score for score in scores if score.share == 1.0]
        self._standings.expect([score.candidate for score in whole])
        self._standings.add(whole)

    def ended(self, result: SweepResult) -> None:
        """Nothing: what is known stays."""

    def words(self) -> tuple[str, str]:
        """Return the best of the candidates that have been judged on every fold."""
        means = {
            candidate: float(np.mean([score.scores[self._scorer] for score in scores]))
            for candidate, scores in self._standings.settled().fold_scores().items()
            if len(scores) == self._n_folds and not any(score.error for score in scores)
        }
        known = {candidate: mean for candidate, mean in means.items() if not np.isnan(mean)}
        if not known:
            return "best", "no candidate has been judged on every fold"
        best = max(known, key=lambda candidate: known[candidate])
        return "best", f"{best.name}, {self._scorer} {known[best]:.5f} (of {len(means):,} judged on every fold)"
