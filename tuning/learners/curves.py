"""Evaluation curves: the score after every boosting round, and the number of rounds that the folds choose together.

``early_stopping_rounds`` of the estimator cannot do this inside a search: it wants rows to stop on, and given a fold's
test rows it picks the best round of each fold by itself, so that the mean over folds is one that no single number of
rounds has. Here every fold trains on until its own curve has not risen for `patience` rounds, the curves are averaged
as far as all folds have come, and one number is chosen from the mean: the same as a grid over all numbers of rounds, at
the price of one booster per fold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray
from sklearn.base import is_classifier

from tuning.dataset import Dataset
from tuning.scoring import score


class Curves:
    """Scores of the test rows, noted after every round from the predictions that XGBoost keeps up to date.

    Parameters
    ----------
    estimator : XGBClassifier or XGBRegressor
    test : Dataset
    scorers : sequence of str
        The first decides when to stop.
    patience : int
    """

    def __init__(self, estimator: Any, test: Dataset, scorers: Sequence[str], patience: int) -> None:
        self._estimator = estimator
        self._test = test
        self._scorers = scorers
        self._patience = patience
        self.scores: dict[str, list[float]] = {name: [] for name in scorers}

    def matrix(self) -> xgb.DMatrix:
        """Test rows as XGBoost reads them."""
        estimator = self._estimator
        return xgb.DMatrix(
            self._test.X,
            label=self._test.y,
            missing=estimator.missing,
            nthread=estimator.n_jobs,
            enable_categorical=bool(estimator.enable_categorical),
        )

    def note(self, predictions: NDArray[np.float32], _: xgb.DMatrix) -> tuple[str, float]:
        """Score the test rows from `predictions`; the shape of XGBoost's ``custom_metric``."""
        scores = score(_Predicted(self._estimator, predictions, self._test), self._test, self._scorers)
        for name, value in scores.items():
            self.scores[name].append(value)
        return self._scorers[0], scores[self._scorers[0]]

    @property
    def has_peaked(self) -> bool:
        """Whether the deciding curve has not risen for `patience` rounds."""
        curve = self.scores[self._scorers[0]]
        return len(curve) - 1 - int(np.argmax(curve)) >= self._patience


class _Predicted:
    """Predictions already made, as a fitted estimator that scorers accept."""

    def __init__(self, estimator: Any, predictions: NDArray[np.float32], test: Dataset) -> None:
        self._estimator = estimator
        self._predictions = predictions
        self.classes_ = None if test.classes is None else np.arange(len(test.classes))

    def __sklearn_tags__(self) -> Any:
        return self._estimator.__sklearn_tags__()

    def __getattr__(self, name: str) -> Any:
        if name == "_estimator_type":  # what scikit-learn before 1.6 asks for
            return self._estimator._estimator_type
        raise AttributeError(name)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self) -> None:
        """Only an estimator with this method counts as one."""

    def predict_proba(self, _: Any) -> NDArray[np.float32]:
        if self._predictions.ndim == 2:
            return self._predictions
        return np.column_stack([1 - self._predictions, self._predictions])

    def predict(self, X: Any) -> NDArray[Any]:
        return self.predict_proba(X).argmax(axis=1) if is_classifier(self._estimator) else self._predictions


def best_rounds(curves: Sequence[Sequence[float]]) -> int:
    """Find the number of rounds with the highest mean score over all folds.

    Parameters
    ----------
    curves : sequence of sequence of float
        One per fold; they may have different lengths.

    Returns
    -------
    int
        At least 1, and no more than the shortest curve has.
    """
    shortest = min(len(curve) for curve in curves)
    means = np.mean([curve[:shortest] for curve in curves], axis=0)
    return int(np.argmax(means)) + 1


def at_round(curves: Mapping[str, Sequence[float]], rounds: int) -> dict[str, float]:
    """Scores after `rounds` rounds, by scorer name."""
    return {name: curve[rounds - 1] for name, curve in curves.items()}
