"""Scores by scikit-learn's scorers, several from one prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray
from sklearn.metrics import check_scoring


def score(estimator: Any, X: Any, y: NDArray[Any], scorers: Sequence[str]) -> Mapping[str, float]:
    """Score a fitted estimator.

    Parameters
    ----------
    estimator : object
        Fitted, with the methods that the scorers need.
    X : array-like of shape (n_rows, n_columns)
    y : ndarray of shape (n_rows,)
    scorers : sequence of str
        scikit-learn scorer names; they share the predictions.

    Returns
    -------
    mapping of str to float
        By scorer name, greater is better.
    """
    scorer = check_scoring(estimator, scoring=list(scorers))
    return {name: float(value) for name, value in scorer(estimator, X, y).items()}
