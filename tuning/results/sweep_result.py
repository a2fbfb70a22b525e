"""What comes back from a sweep: scores per candidate and fold, and the table that they make."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from errors import FitError
from tuning.candidates import Candidate
from tuning.results.fold_score import FoldScore, Verification
from tuning.results.statistics import ranks, simplest_within
from tuning.spec.refit import BEST, RefitSpec

if TYPE_CHECKING:
    from tuning.kept.bias import Corrected


@dataclass(frozen=True)
class SweepResult:
    """Every candidate's scores on every fold that it was tried on.

    Attributes
    ----------
    candidates : sequence of Candidate
        In the order of proposal.
    fold_scores : mapping of Candidate to sequence of FoldScore
        Ordered by fold; fewer than `n_folds` where the candidate was stopped.
    n_folds : int
    scorers : sequence of str
        The first is not special; `refit_scorer` decides.
    refit_scorer : str
        The scorer that ranks candidates.
    n_units : int
        Fits that were really trained: fewer than candidates times folds where candidates shared a booster.
    seconds : float
        Wall time of the sweep, refit excluded.
    rounds : mapping of Candidate to int
        The number of boosting rounds that early stopping chose, over all folds at once.
    approximations : sequence of str
        What was given up for speed, a sentence each; empty where every figure is exact.
    sizes : sequence of float or None
        How large each candidate's model is, relative to the others'; None where nobody can know, empty where nobody
        has looked.
    verification : Verification
        What came of fitting some cells again.
    seed_means : sequence of float
        The winner's mean score under each of the other seeds that were asked for.
    test_share : float or None
        Rows tested on over rows trained on; None stands for plain K-fold cross-validation.
    rule : RefitSpec
        How the winner is chosen.
    corrected : Corrected or None
        The winner's score without what choosing it has added, where that is known.
    uncorrected : str
        Why it is not known, in a clause; empty where nobody has looked.
    """

    candidates: Sequence[Candidate]
    fold_scores: Mapping[Candidate, Sequence[FoldScore]]
    n_folds: int
    scorers: Sequence[str]
    refit_scorer: str
    n_units: int
    seconds: float
    rounds: Mapping[Candidate, int] = field(default_factory=dict)
    approximations: Sequence[str] = ()
    sizes: Sequence[float | None] = ()
    verification: Verification = field(default_factory=Verification)
    test_share: float | None = None
    rule: RefitSpec = BEST
    seed_means: Sequence[float] = ()
    corrected: Corrected | None = None
    uncorrected: str = ""

    @property
    def n_cells(self) -> int:
        """Folds of candidates that were scored, or failed."""
        return sum(len(scores) for scores in self.fold_scores.values())

    @property
    def n_reused(self) -> int:
        """Those among them that an earlier sweep has fitted."""
        return sum(score.reused for scores in self.fold_scores.values() for score in scores)

    @property
    def n_fits(self) -> int:
        """Those among them that this sweep has fitted."""
        return self.n_cells - self.n_reused

    @cached_property
    def failed(self) -> Sequence[Candidate]:
        """Candidates with an error on at least one fold."""
        return [c for c in self.candidates if any(score.error for score in self.fold_scores[c])]

    @cached_property
    def stopped(self) -> Sequence[Candidate]:
        """Candidates that were not judged on every fold in full, though nothing failed."""
        failed = set(self.failed)
        return [c for c in self.candidates if c not in failed and not self._is_complete(c)]

    def _is_complete(self, candidate: Candidate) -> bool:
        scores = self.fold_scores[candidate]
        return len(scores) == self.n_folds and all(score.share == 1.0 for score in scores)

    def split_scores(self, scorer: str | None = None) -> NDArray[np.float64]:
        """Test scores of shape (n_candidates, n_folds), NaN where there is none; of `refit_scorer` unless told."""
        name = scorer or self.refit_scorer
        splits = np.full((len(self.candidates), self.n_folds), np.nan)
        for row, candidate in enumerate(self.candidates):
            for score in self.fold_scores[candidate]:
                splits[row, score.fold] = score.scores.get(name, np.nan)
        return splits

    def means(self, scorer: str | None = None) -> NDArray[np.float64]:
        """Mean test scores of shape (n_candidates,), over the folds that a candidate had; NaN where a fit failed."""
        splits = self.split_scores(scorer)
        had = np.array([len(self.fold_scores[c]) for c in self.candidates])
        scored = np.isfinite(splits).sum(axis=1)
        sums = np.where(np.isfinite(splits), splits, 0.0).sum(axis=1)
        return np.where((scored == had) & (had > 0), sums / np.maximum(had, 1), np.nan)

    @cached_property
    def best_index(self) -> int:
        """Place of the winner among `candidates`: by its rule the best one, or the simplest of those about as good.

        Raises
        ------
        FitError
            No candidate has a score on every fold.
        """
        if self.rule.rule == "best":
            return self.top_index
        splits, top = self.split_scores(), self.top_index
        left_out = {*self.failed, *self.stopped}
        means = [
            math.nan if each in left_out else float(row.mean())
            for each, row in zip(self.candidates, splits, strict=True)
        ]
        order = self.rule.order(self.candidates, self.sizes or [None] * len(means))
        return simplest_within(means, self.rule.tolerance(splits[top].tolist()), order)

    @cached_property
    def top_index(self) -> int:
        """Place of the highest mean score in full, the first of equals.

        Raises
        ------
        FitError
            No candidate has a score on every fold.
        """
        complete = np.array([self._is_complete(candidate) for candidate in self.candidates], dtype=bool)
        means = np.where(complete, self.means(), np.nan)
        if np.isnan(means).all():
            raise FitError(self._no_winner())
        return int(np.nanargmax(means))

    @property
    def best(self) -> Candidate:
        """The winner."""
        return self.candidates[self.best_index]

    @property
    def best_score(self) -> float:
        """The winner's mean test score over the folds."""
        return float(self.split_scores()[self.best_index].mean())

    @property
    def best_std(self) -> float:
        """Standard deviation of the winner's test score over the folds (ddof 0, as scikit-learn has it)."""
        return float(self.split_scores()[self.best_index].std())

    @property
    def seed_std(self) -> float:
        """Standard deviation of the winner's mean score over seeds, its own included."""
        return float(np.std([self.best_score, *self.seed_means], ddof=1)) if self.seed_means else 0.0

    def cv_results(self) -> dict[str, list[Any]]:
        """The table under scikit-learn's ``cv_results_`` names, one entry per candidate.

        A single scorer's columns end in ``score``, those of several in the scorer's name, as GridSearchCV has it.
        """
        table: dict[str, list[Any]] = {}
        for what in ("fit", "score"):
            times = self._times(what)
            table[f"mean_{what}_time"] = [float(row.mean()) for row in times]
            table[f"std_{what}_time"] = [float(row.std()) for row in times]
        for name in dict.fromkeys(name for c in self.candidates for name in c.params):
            table[f"param_{name}"] = [c.params.get(name) for c in self.candidates]
        table["params"] = [dict(c.params) for c in self.candidates]
        table["shared"] = [self.shared(c) for c in self.candidates]
        if self.rounds:
            table["rounds"] = [self.rounds.get(c) for c in self.candidates]
        if self.stopped:
            table["n_folds"] = [len(self.fold_scores[c]) for c in self.candidates]
            table["share"] = [max((score.share for score in self.fold_scores[c]), default=0.0) for c in self.candidates]
        for scorer in self.scorers:
            table |= self._score_columns(scorer)
        return table

    def shared(self, candidate: Candidate) -> str:
        """What the candidate's fits had in common with others', and why that is exact; the same on most folds."""
        return " | ".join(dict.fromkeys(score.shared for score in self.fold_scores[candidate] if score.shared))

    def _score_columns(self, scorer: str) -> dict[str, list[Any]]:
        suffix = "score" if len(self.scorers) == 1 else scorer
        splits, means = self.split_scores(scorer), self.means(scorer)
        columns = {f"split{k}_test_{suffix}": splits[:, k].tolist() for k in range(self.n_folds)}
        return columns | {
            f"mean_test_{suffix}": means.tolist(),
            f"std_test_{suffix}": [
                float(np.std(row[np.isfinite(row)])) if np.isfinite(row).any() else np.nan for row in splits
            ],
            f"rank_test_{suffix}": ranks(means, [self._progress(c) for c in self.candidates]).tolist(),
        }

    def _progress(self, candidate: Candidate) -> float:
        """How far a candidate came: it ranks below all that came further, since their scores do not compare."""
        return float(sum(score.share for score in self.fold_scores[candidate])) / self.n_folds

    def _times(self, what: str) -> list[NDArray[np.float64]]:
        return [
            np.array([getattr(score, f"{what}_seconds") for score in self.fold_scores[c]] or [np.nan])
            for c in self.candidates
        ]

    def _no_winner(self) -> str:
        errors = Counter(score.error for scores in self.fold_scores.values() for score in scores if score.error)
        if not errors and (self.stopped or not self.candidates):
            count = len(self.candidates) or "the"
            return f"none of {count} candidates was judged on all {self.n_folds} folds. Raise the budget."
        commonest = errors.most_common(1)[0][0] if errors else f"{self.refit_scorer} is NaN on some fold of each"
        return f"all {len(self.candidates)} candidates failed; the commonest error: {commonest}"
