"""An estimator that writes down every fit, copied beside the spec of a sweep that is to be killed."""

from __future__ import annotations

import os
import time
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin


class Counted(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Predicts by a rule of its own, after a while.

    Parameters
    ----------
    number : int
    seconds : float
        That ``fit`` takes.
    diary : str
        A file that gets a line when a fit begins: the number, the sum of the first column, the process.
    """

    def __init__(self, number: int = 0, seconds: float = 0.05, diary: str = "") -> None:
        self.number = number
        self.seconds = seconds
        self.diary = diary

    def fit(self, X: Any, y: Any) -> Self:
        """Write it down, and wait."""
        line = f"{self.number} {int(np.asarray(X)[:, 0].sum())} {os.getpid()}\n"
        with open(self.diary, "ab", buffering=0) as diary:
            diary.write(line.encode())
        time.sleep(self.seconds)
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return what no two numbers have alike."""
        drawn = np.asarray(X)[:, 0] * (2.0 * self.number + 1) * 0.6180339887
        yes = 0.1 + 0.8 * (drawn - np.floor(drawn))
        return np.column_stack([1 - yes, yes])

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the likelier class."""
        likelier: NDArray[Any] = self.classes_[(self.predict_proba(X)[:, 1] > 0.5).astype(int)]
        return likelier
