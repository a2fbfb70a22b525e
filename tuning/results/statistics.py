"""What the folds can tell apart.

Fold scores are not independent, since training sets overlap, so the usual paired t-test finds differences that are not
there. The correction is that of Nadeau and Bengio, "Inference for the Generalization Error", Machine Learning 52
(2003), section 4: the variance of the mean difference is taken as ``(1/k + n_test/n_train)`` times that of the
differences rather than ``1/k`` times it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

LEVEL = 0.95


@dataclass(frozen=True)
class Difference:
    """A paired difference over folds.

    Attributes
    ----------
    mean : float
    low, high : float
        Ends of the corrected interval; infinite where there are fewer than two folds.
    """

    mean: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0


def paired_difference(
    first: Sequence[float], second: Sequence[float], test_share: float, level: float = LEVEL
) -> Difference:
    """Interval for how much better `first` scores than `second`.

    Parameters
    ----------
    first, second : sequence of float, of length n_folds
        Scores on the same folds, in the same order.
    test_share : float
        Rows tested on over rows trained on, ``1 / (n_folds - 1)`` in plain K-fold cross-validation.
    level : float
        Of the two-sided interval.

    Returns
    -------
    Difference
        Nadeau and Bengio's corrected resampled t interval, with ``n_folds - 1`` degrees of freedom.
    """
    differences: NDArray[np.float64] = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    mean, k = float(differences.mean()), len(differences)
    if k < 2:
        return Difference(mean, -math.inf, math.inf)
    spread = math.sqrt((1 / k + test_share) * float(differences.var(ddof=1)))
    reach = float(stats.t.ppf((1 + level) / 2, k - 1)) * spread
    return Difference(mean, mean - reach, mean + reach)


def simplest_within(means: Sequence[float], tolerance: float, sizes: Sequence[float | None]) -> int:
    """Find the simplest candidate that is about as good as the best.

    Parameters
    ----------
    means : sequence of float, of length n_candidates
        NaN for those that cannot be chosen.
    tolerance : float
        How far below the best mean a candidate may stay.
    sizes : sequence of float or None, of length n_candidates
        What to prefer less of; None where a model's size is not known before it is fitted.

    Returns
    -------
    int
        Place of the choice; the best itself where nothing smaller is near, or a size is unknown among those near.
    """
    best = max(mean for mean in means if not math.isnan(mean))
    near = [place for place, mean in enumerate(means) if mean >= best - tolerance]
    known = {place: size for place in near if (size := sizes[place]) is not None}
    if len(known) < len(near):
        return max(near, key=lambda place: means[place])
    return min(known, key=lambda place: (known[place], -means[place]))


def standard_error(splits: Sequence[float]) -> float:
    """Standard error of a mean over folds, the yardstick of Breiman et al. (1984, section 3.4.3)."""
    return float(np.std(splits, ddof=1)) / math.sqrt(len(splits)) if len(splits) > 1 else 0.0


def ranks(means: NDArray[np.float64], progress: Sequence[float] | None = None) -> NDArray[np.int32]:
    """Rank the candidates, 1 for the best; equals share the better rank and NaN comes last, as in scikit-learn.

    Parameters
    ----------
    means : ndarray of shape (n_candidates,)
    progress : sequence of float or None
        Further comes before better.
    """
    came = np.zeros(len(means)) if progress is None else np.asarray(progress, dtype=np.float64)
    filled = np.where(np.isnan(means), -np.inf, means)
    came = np.where(np.isnan(means), -np.inf, came)
    order = np.lexsort((-filled, -came))
    places = np.empty(len(means), dtype=np.int32)
    for place, row in enumerate(order):
        above = order[place - 1]
        tied = place > 0 and came[row] == came[above] and filled[row] == filled[above]
        places[row] = places[above] if tied else place + 1
    return places
