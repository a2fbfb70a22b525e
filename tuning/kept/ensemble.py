"""An ensemble of a sweep's best candidates, from their out-of-fold predictions.

Caruana, Niculescu-Mizil, Crew and Ksikes, "Ensemble selection from libraries of models" (ICML 2004): begin with the
best candidate, and add again and again the one with which the mean of the predictions scores highest; a candidate may
be added more than once, which gives it more weight. Of all ensembles on the way the best is taken, the smallest of
equals.

The composition is optimistic on the rows that it was chosen on. So it is also chosen without each fold in turn, and
judged on that fold: what comes out is what an ensemble that is chosen in this way is worth on new rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import VotingClassifier, VotingRegressor
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import Bunch

from errors import SpecError
from tuning.candidates import Candidate
from tuning.kept.choice import KeptSweep
from tuning.kept.responses import PREDICT, PROBABILITIES, Responses
from tuning.learners.unfitted import holds_xgboost
from tuning.results.sweep_result import SweepResult
from tuning.spec.scoring import Metric
from tuning.warned import one_line

POOL = 20
"""Candidates that may become members: so many of the best."""

STEPS = 20
"""Members at most, each as often as it was added."""

Floats = NDArray[Any]


@dataclass(frozen=True)
class Ensemble:
    """What was put together.

    Attributes
    ----------
    members : mapping of Candidate to int
        How often each was added, the most often first.
    splits : sequence of float
        The score on each fold.
    unseen : sequence of float
        The score on each fold of the ensemble that the other folds have chosen.
    """

    members: Mapping[Candidate, int]
    splits: Sequence[float]
    unseen: Sequence[float]

    @property
    def weights(self) -> Mapping[Candidate, float]:
        """Share of each member in the mean."""
        total = sum(self.members.values())
        return {member: count / total for member, count in self.members.items()}


def choose_ensemble(sweep: KeptSweep, metric: Metric, compared: SweepResult) -> Ensemble:
    """Put together the members whose mean scores highest over the folds.

    Parameters
    ----------
    sweep : KeptSweep
    metric : Metric
    compared : SweepResult
        Of the candidates by that scorer.

    Raises
    ------
    SpecError
        There are not the predictions for it.
    """
    means = compared.means()
    best = [compared.candidates[place] for place in np.argsort(-means, kind="stable") if np.isfinite(means[place])]
    mixed = _Mixed(sweep, metric, best[:POOL])
    every = range(sweep.file.n_folds)
    chosen = mixed.choose(every)
    counts = Counter(mixed.pool[place] for place in chosen)
    splits = [mixed.score(chosen, fold) for fold in every]
    unseen = splits
    if len(every) > 1:
        unseen = [mixed.score(mixed.choose([k for k in every if k != fold]), fold) for fold in every]
    return Ensemble(dict(counts.most_common()), splits, unseen)


class _Mixed:
    """The predictions of a pool of candidates, and the scores of their means."""

    def __init__(self, sweep: KeptSweep, metric: Metric, pool: Sequence[Candidate]) -> None:
        self._sweep, self._metric, self._scorer, self.pool = sweep, metric, metric.build(), pool
        self._method = PREDICT if sweep.data.classes is None else PROBABILITIES
        kept = {each.candidate: each for each in sweep.file.kept}
        if not sweep.file.all_of_them or any(each not in kept for each in pool):
            raise SpecError(
                "rule=ensemble needs the predictions of every candidate, and the sweep has not kept them. Sweep again "
                "with `keep: predictions` in the spec."
            )
        answers = [sweep.answers(kept[each]) for each in pool]
        self._values = [[self._of(answer) for answer in folds] for folds in answers]
        self._rows = [sweep.judged_on(sweep.tested(fold)) for fold in range(sweep.file.n_folds)]

    def _of(self, answer: Responses) -> Floats:
        """Return what is averaged: numbers, or a probability of each class, 0 for one that a model has never seen."""
        values = answer.values.get(self._method)
        classes = self._sweep.data.classes
        if values is None or (classes is None and self._sweep.data.has_labels):
            raise SpecError("rule=ensemble averages numbers or probabilities, and these candidates give labels alone.")
        if classes is None or answer.classes is None:
            return values.astype(np.float64)
        whole = np.zeros((len(values), len(classes)))
        whole[:, answer.classes] = values
        return whole

    def score(self, members: Sequence[int], fold: int) -> float:
        """Score the mean of members, by their places in the pool, on a fold."""
        return self._scored(np.mean([self._values[place][fold] for place in members], axis=0), fold)

    def _scored(self, mean: Floats, fold: int) -> float:
        try:
            return self._sweep.score(self._scorer, Responses({self._method: mean}), self._rows[fold])
        except Exception as error:  # of the scorer, which may be the user's own
            raise SpecError(
                f"scorer={self._metric.name} cannot judge the mean of predictions ({one_line(error).rstrip('.')})."
            ) from error

    def choose(self, folds: Sequence[int]) -> list[int]:
        """Add members greedily, and return the best ensemble on the way, by places in the pool."""
        sums = [np.zeros_like(self._values[0][fold]) for fold in folds]
        members: list[int] = []
        best: tuple[float, int] = (-np.inf, 0)
        for size in range(1, STEPS + 1):
            tried = [
                np.mean([self._scored((s + self._values[p][k]) / size, k) for s, k in zip(sums, folds, strict=True)])
                for p in range(len(self.pool))
            ]
            added = int(np.nanargmax(tried))
            members.append(added)
            sums = [s + self._values[added][k] for s, k in zip(sums, folds, strict=True)]
            if tried[added] > best[0]:
                best = (float(tried[added]), size)
        return members[: best[1]]


def assemble(members: Sequence[Any], weights: Sequence[float], labels: NDArray[Any] | None) -> Any:
    """Make one estimator of fitted ones: scikit-learn's own, whose prediction is their weighted mean.

    It is put together rather than fitted, so that each member is what its own refit has made of it.

    Parameters
    ----------
    members : sequence of object
        Fitted on the same rows.
    weights : sequence of float
    labels : ndarray of shape (n_classes,) or None
        The target's classes; None for regression.
    """
    named = [(f"member{number}", member) for number, member in enumerate(members, start=1)]
    if labels is None:
        whole = VotingRegressor(named, weights=list(weights))
    else:
        whole = VotingClassifier(named, voting="soft", weights=list(weights))
        codes = holds_xgboost(whole)  # whose classifiers know no labels
        whole.le_ = LabelEncoder().fit(np.arange(len(labels)) if codes else labels)
        whole.classes_ = whole.le_.classes_
    whole.estimators_ = list(members)
    whole.named_estimators_ = Bunch(**dict(named))
    return whole
