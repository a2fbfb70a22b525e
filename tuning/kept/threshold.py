"""Which probability is enough to decide for the second of two classes, from out-of-fold predictions.

The threshold is chosen on all folds together, as the number of rounds is under early stopping. It is optimistic on the
rows that it was chosen on, so it is also chosen without each fold in turn and judged on that fold: what comes out is
what a threshold chosen in this way is worth on new rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from errors import SpecError
from tuning.kept.choice import KeptSweep
from tuning.kept.responses import PREDICT, PROBABILITIES, Responses
from tuning.kept.table import Judged
from tuning.spec.scoring import Metric
from tuning.warned import one_line

MOST = 200
"""Thresholds that are tried: so many quantiles of the probabilities."""


@dataclass(frozen=True)
class Threshold:
    """A threshold, and what it is worth.

    Attributes
    ----------
    value : float
        A row is of the second class where its probability is at least this.
    splits : sequence of float
        The score on each fold at `value`.
    unseen : sequence of float
        The score on each fold at the threshold that the other folds have chosen.
    at_half : sequence of float
        The score on each fold at one half.
    """

    value: float
    splits: Sequence[float]
    unseen: Sequence[float]
    at_half: Sequence[float]


def choose_threshold(sweep: KeptSweep, judged: Judged, metric: Metric) -> Threshold:
    """Find the threshold at which a candidate's mean score over the folds is highest.

    Raises
    ------
    SpecError
        There are not two classes, no probabilities were kept, or the scorer does not look at decisions.
    """
    classes = sweep.data.classes
    if classes is None or len(classes) != 2:
        many = "numbers are predicted" if classes is None else f"there are {len(classes)} classes"
        raise SpecError(f"rule=threshold needs two classes, and {many}. Choose another rule.")
    answers = sweep.answers(judged) if judged.group is not None else []
    if not all(PROBABILITIES in each.values and _has_both(each) for each in answers) or not answers:
        raise SpecError(
            "rule=threshold needs probabilities of both classes, and the sweep has kept none. Sweep again with "
            "`keep: predictions` in the spec, by an estimator that has predict_proba."
        )
    positive = [each.values[PROBABILITIES][:, 1] for each in answers]
    tried = np.unique(np.quantile(np.concatenate(positive), np.linspace(0, 1, MOST + 1), method="nearest"))
    try:
        table = np.array([_at(float(value), positive, sweep, metric) for value in tried])
        at_half = _at(0.5, positive, sweep, metric)
    except Exception as error:  # of the scorer, which may be the user's own
        raise SpecError(f"scorer={metric.name} cannot judge decisions ({one_line(error).rstrip('.')}).") from error
    best = _best(table)
    others = [_best(np.delete(table, fold, axis=1)) if table.shape[1] > 1 else best for fold in range(len(answers))]
    unseen = [float(table[place, fold]) for fold, place in enumerate(others)]
    return Threshold(float(tried[best]), table[best].tolist(), unseen, at_half)


def _has_both(answer: Responses) -> bool:
    return answer.classes is None or len(answer.classes) == 2


def _at(threshold: float, positive: Sequence[NDArray[np.floating]], sweep: KeptSweep, metric: Metric) -> list[float]:
    scorer = metric.build()
    decided = [Responses({PREDICT: (each >= threshold).astype(np.int64)}) for each in positive]
    return [sweep.score(scorer, each, sweep.judged_on(sweep.tested(k))) for k, each in enumerate(decided)]


def _best(table: NDArray[np.float64]) -> int:
    """Find the row of the highest mean; of equals the middle one, since the score is flat around it."""
    means = table.mean(axis=1)
    best = np.flatnonzero(means >= np.nanmax(means))
    return int(best[len(best) // 2])
