"""What comes back from a sweep: scores per candidate and fold, and the table that they make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errors import FitError
from tuning.candidates import Candidate


@dataclass(frozen=True)
class FoldScore:
    """One candidate's outcome on one fold.

    Attributes
    ----------
    candidate : Candidate
    fold : int
        The fold's index.
    scores : mapping of str to float
        Test score by scorer name, greater is better; empty where the fit failed.
    fit_seconds : float
        Time to train. Candidates that share a booster each carry the booster's time up to their own last round, so
        that the figures compare with those of separate fits.
    score_seconds : float
        Time to predict and score.
    error : str or None
        One line, ``ValueError: ...``, where the fit or the scoring raised.
    warning : str or None
        One line, ``ConvergenceWarning: ...``, the first that the estimator gave.
    """

    candidate: Candidate
    fold: int
    scores: Mapping[str, float] = field(default_factory=dict)
    fit_seconds: float = 0.0
    score_seconds: float = 0.0
    error: str | None = None
    warning: str | None = None


@dataclass(frozen=True)
class SweepResult:
    """Every candidate's scores on every fold.

    Attributes
    ----------
    candidates : sequence of Candidate
        In the order of proposal.
    fold_scores : mapping of Candidate to sequence of FoldScore
        One per fold, ordered by fold.
    scorers : sequence of str
        The first is not special; `refit_scorer` decides.
    refit_scorer : str
        The scorer that ranks candidates.
    n_units : int
        Fits that were really trained: fewer than candidates times folds where candidates shared a booster.
    seconds : float
        Wall time of the sweep, refit excluded.
    """

    candidates: Sequence[Candidate]
    fold_scores: Mapping[Candidate, Sequence[FoldScore]]
    scorers: Sequence[str]
    refit_scorer: str
    n_units: int
    seconds: float

    @property
    def n_fits(self) -> int:
        """Candidates times folds: the fits that were asked for and answered."""
        return sum(len(scores) for scores in self.fold_scores.values())

    @cached_property
    def failed(self) -> Sequence[Candidate]:
        """Candidates with an error on at least one fold."""
        return [c for c in self.candidates if any(score.error for score in self.fold_scores[c])]

    def split_scores(self, scorer: str | None = None) -> NDArray[np.float64]:
        """Test scores of shape (n_candidates, n_folds), NaN where a fit failed; of `refit_scorer` unless told."""
        name = scorer or self.refit_scorer
        return np.array(
            [[score.scores.get(name, np.nan) for score in self.fold_scores[c]] for c in self.candidates],
            dtype=np.float64,
        )

    @cached_property
    def best_index(self) -> int:
        """Place of the winner among `candidates`: the highest mean score, the first of equals.

        Raises
        ------
        FitError
            No candidate has a score on every fold.
        """
        means = self.split_scores().mean(axis=1)
        if np.isnan(means).all():
            raise FitError(f"all {len(self.candidates)} candidates failed; the commonest error: {self._commonest()}")
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

    def cv_results(self) -> dict[str, list[Any]]:
        """The table under scikit-learn's ``cv_results_`` names, one entry per candidate.

        A single scorer's columns end in ``score``, those of several in the scorer's name, as GridSearchCV has it.
        """
        table: dict[str, list[Any]] = {}
        for what in ("fit", "score"):
            times = self._times(what)
            table[f"mean_{what}_time"] = times.mean(axis=1).tolist()
            table[f"std_{what}_time"] = times.std(axis=1).tolist()
        for name in dict.fromkeys(name for c in self.candidates for name in c.params):
            table[f"param_{name}"] = [c.params.get(name) for c in self.candidates]
        table["params"] = [dict(c.params) for c in self.candidates]
        for scorer in self.scorers:
            table |= _score_columns(self.split_scores(scorer), "score" if len(self.scorers) == 1 else scorer)
        return table

    def _times(self, what: str) -> NDArray[np.float64]:
        return np.array(
            [[getattr(score, f"{what}_seconds") for score in self.fold_scores[c]] for c in self.candidates],
            dtype=np.float64,
        )

    def _commonest(self) -> str:
        errors = Counter(score.error for scores in self.fold_scores.values() for score in scores if score.error)
        return errors.most_common(1)[0][0] if errors else f"{self.refit_scorer} is NaN on some fold of each"


def _score_columns(splits: NDArray[np.float64], suffix: str) -> dict[str, list[Any]]:
    means = splits.mean(axis=1)
    columns = {f"split{k}_test_{suffix}": splits[:, k].tolist() for k in range(splits.shape[1])}
    return columns | {
        f"mean_test_{suffix}": means.tolist(),
        f"std_test_{suffix}": splits.std(axis=1).tolist(),
        f"rank_test_{suffix}": ranks(means).tolist(),
    }


def ranks(means: NDArray[np.float64]) -> NDArray[np.int32]:
    """Rank of each mean, 1 for the highest; equals share the better rank and NaN comes last, as in scikit-learn."""
    filled = np.where(np.isnan(means), -np.inf, means)
    return np.array([1 + int((filled > mean).sum()) for mean in filled], dtype=np.int32)
