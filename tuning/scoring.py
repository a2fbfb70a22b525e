"""Scores by scikit-learn's scorers, several from one prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.metrics import check_scoring

from tuning.dataset import Dataset


def score(estimator: Any, rows: Dataset, scorers: Sequence[str]) -> Mapping[str, float]:
    """Score a fitted estimator.

    Parameters
    ----------
    estimator : object
        Fitted, with the methods that the scorers need.
    rows : Dataset
        Weighed where they carry weights and the scorer takes them, as in GridSearchCV.
    scorers : sequence of str
        scikit-learn scorer names; they share the predictions.

    Returns
    -------
    mapping of str to float
        By scorer name, greater is better.
    """
    scorer = check_scoring(estimator, scoring=list(scorers))
    weights = {} if rows.sample_weight is None else {"sample_weight": rows.sample_weight}
    return {name: float(value) for name, value in scorer(estimator, rows.X, rows.y, **weights).items()}
