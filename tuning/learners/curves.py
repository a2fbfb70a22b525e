"""Scores after every round of training, and the number of rounds that the folds choose together.

``early_stopping_rounds`` of an estimator cannot do this inside a search: it wants rows to stop on, and given a fold's
test rows it picks the best round of each fold by itself, so that the mean over folds is one that no single number of
rounds has. Here every fold trains on until its own curve has not risen for `patience` rounds, the curves are averaged
as far as all folds have come, and one number is chosen from the mean: the same as a grid over all numbers of rounds, at
the price of one fit per fold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier

from tuning.dataset import Dataset
from tuning.learners.base import Judge


class RoundScores:
    """The scores of one fold, round by round.

    Parameters
    ----------
    estimator : object
        The classifier or regressor that trains, which need not be fitted yet.
    test : Dataset
        Its target as scorers compare it.
    classes : ndarray of shape (n_classes,) or None
        What the columns of predicted probabilities stand for; None for regression.
    judge : Judge
        The first of its scorers decides when to stop.
    patience : int
    """

    def __init__(
        self, estimator: Any, test: Dataset, classes: NDArray[Any] | None, judge: Judge, patience: int
    ) -> None:
        self._estimator = estimator
        self._test = test
        self._classes = classes
        self._judge = judge
        self._patience = patience
        self.scores: dict[str, list[float]] = {name: [] for name in judge.scorers}

    def add(self, predictions: NDArray[Any]) -> float:
        """Score the next round.

        Parameters
        ----------
        predictions : ndarray of shape (n_rows,) or (n_rows, n_classes)
            Numbers; for a classifier probabilities, of the second of two classes where there is one column.

        Returns
        -------
        float
            The deciding score.
        """
        return self.judge(_Predicted(self._estimator, predictions, self._classes))

    def judge(self, model: Any) -> float:
        """Score the next round by a model of it."""
        for name, value in self._judge(model, self._test).items():
            self.scores[name].append(value)
        return self._deciding[-1]

    def hold(self, rounds: int) -> None:
        """Go on with the last scores for up to so many rounds: the model has ended its training by itself."""
        while len(self._deciding) < rounds and not self.has_peaked:
            for values in self.scores.values():
                values.append(values[-1])

    @property
    def has_peaked(self) -> bool:
        """Whether the deciding curve has not risen for `patience` rounds."""
        return len(self._deciding) - 1 - int(np.argmax(self._deciding)) >= self._patience

    @property
    def _deciding(self) -> list[float]:
        return self.scores[self._judge.scorers[0]]


class _Predicted:
    """Predictions already made, as a fitted estimator that scorers accept."""

    def __init__(self, estimator: Any, predictions: NDArray[Any], classes: NDArray[Any] | None) -> None:
        self._estimator = estimator
        self._predictions = predictions
        self.classes_ = classes

    def __sklearn_tags__(self) -> Any:
        return self._estimator.__sklearn_tags__()

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self) -> None:
        """Only an estimator with this method counts as one."""

    def predict_proba(self, _: Any) -> NDArray[Any]:
        if self._predictions.ndim == 2:
            return self._predictions
        return np.column_stack([1 - self._predictions, self._predictions])

    def predict(self, X: Any) -> NDArray[Any]:
        if self.classes_ is None or not is_classifier(self._estimator):
            return self._predictions
        predicted: NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return predicted


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
