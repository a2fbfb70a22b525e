"""How good a model's predictions are, row by row and by any scorer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_RESAMPLES = 2_000
_RESAMPLES_OF_SCORERS = 500  # a scorer is called twice for each
_RESAMPLES_AT_ONCE = 100


@dataclass(frozen=True)
class Interval:
    """A mean and where it may lie.

    Attributes
    ----------
    mean, low, high : float
    confidence : float
        In (0, 1).
    """

    mean: float
    low: float
    high: float
    confidence: float

    def __str__(self) -> str:
        return f"{self.mean:.5f} [{self.low:.5f}, {self.high:.5f}]"


def log_losses(probabilities: Floats, codes: Codes) -> Floats:
    """Return minus the log of what each row's own label was given.

    Parameters
    ----------
    probabilities : ndarray of shape (n_rows, n_labels)
    codes : ndarray of shape (n_rows,)
        Columns of the true labels.

    Returns
    -------
    ndarray of shape (n_rows,)
        Their mean is scikit-learn's ``log_loss``, rows scaled to sum to 1 and probabilities kept off 0 as there.
    """
    scaled = probabilities / probabilities.sum(axis=1, keepdims=True)
    own = scaled[np.arange(len(codes)), codes]
    tiny = np.finfo(np.float64).eps
    losses: Floats = -np.log(np.clip(own, tiny, 1 - tiny))
    return losses


def bootstrap_mean(values: Floats, confidence: float = 0.95, seed: int = 0) -> Interval:
    """Return the mean of `values` with its percentile bootstrap interval.

    Of differences between two models on the same rows this is the paired bootstrap (Efron and Tibshirani 1993,
    chapter 13): what makes a row hard for both cancels.
    """
    draw = np.random.default_rng(seed)
    means = np.concatenate(
        [
            values[draw.integers(0, len(values), (_RESAMPLES_AT_ONCE, len(values)))].mean(axis=1)
            for _ in range(_RESAMPLES // _RESAMPLES_AT_ONCE)
        ]
    )
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(values.mean()), float(low), float(high), confidence)


@dataclass(frozen=True, eq=False)
class Judged:
    """What a scorer says of a model on rows.

    Attributes
    ----------
    n_rows : int
    on : callable
        Takes row numbers, or a mask of rows, and returns the score on those, greater is better; NaN where it cannot be
        told.
    of_rows : ndarray of shape (n_rows,) or None
        Where the score is the mean of a value for each row: those.
    """

    n_rows: int
    on: Callable[[NDArray[np.generic]], float]
    of_rows: Floats | None = None

    @classmethod
    def by_row(cls, values: Floats) -> Judged:
        """Judge by the mean of a value for each row."""
        return cls(len(values), lambda rows: float(values[rows].mean()), values)

    @property
    def score(self) -> float:
        """The score on all rows."""
        return self.on(np.arange(self.n_rows))


def gained(challenger: Judged, champion: Judged, confidence: float = 0.95, seed: int = 0) -> Interval:
    """Return by how much the challenger's score is greater, with the interval of the paired bootstrap over rows."""
    if challenger.of_rows is not None and champion.of_rows is not None:
        return bootstrap_mean(challenger.of_rows - champion.of_rows, confidence, seed)
    draw = np.random.default_rng(seed)
    drawn = (draw.integers(0, challenger.n_rows, challenger.n_rows) for _ in range(_RESAMPLES_OF_SCORERS))
    gains = np.array([challenger.on(rows) - champion.on(rows) for rows in drawn])
    low, high = np.nanquantile(gains, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(challenger.score - champion.score, float(low), float(high), confidence)


@dataclass(frozen=True)
class Calibration:
    """What was predicted beside what happened, over bins of equal counts of (row, label) pairs.

    Attributes
    ----------
    predicted, observed : ndarray of shape (n_bins,)
        Mean probability, and share of pairs in which the label was the row's own.
    counts : ndarray of shape (n_bins,)
    """

    predicted: Floats
    observed: Floats
    counts: Codes

    @property
    def error(self) -> float:
        """Mean distance between the two, bins weighed by their counts (the expected calibration error)."""
        return float(np.average(np.abs(self.predicted - self.observed), weights=self.counts))


def calibration(probabilities: Floats, codes: Codes, n_bins: int = 10) -> Calibration:
    """Return the calibration over all labels at once."""
    happened = np.zeros_like(probabilities)
    happened[np.arange(len(codes)), codes] = 1
    order = np.argsort(probabilities, axis=None, kind="stable")
    predicted, observed = (
        np.array_split(values.ravel()[order], min(n_bins, len(order))) for values in (probabilities, happened)
    )
    counts = np.array([len(part) for part in predicted])
    return Calibration(
        np.array([part.mean() for part in predicted]), np.array([part.mean() for part in observed]), counts
    )
