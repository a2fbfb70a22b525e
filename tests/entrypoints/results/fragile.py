"""Estimators that judge folds well and fail at what comes after the last fit, each at another step."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression


class _Fragile(LogisticRegression):
    """A logistic regression that a number of rows sets off."""

    def __init__(self, C: float = 1.0, rows: int = 0) -> None:
        super().__init__(C=C)
        self.rows = rows


class FailsToFit(_Fragile):
    """It cannot be fitted on more rows than `rows`."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> FailsToFit:
        """Fit, or raise."""
        if len(X) > self.rows:
            raise RuntimeError("too many rows\nfor this one")
        return super().fit(X, y, sample_weight)


class Interrupts(_Fragile):
    """Fitting it on more rows than `rows` is when the person presses Ctrl-C."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Interrupts:
        """Fit, and be interrupted."""
        if len(X) > self.rows:
            os.kill(os.getpid(), signal.SIGINT)
        return super().fit(X, y, sample_weight)


class FailsToPredict(_Fragile):
    """It cannot predict for exactly `rows` rows."""

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict, or raise."""
        if len(X) == self.rows:
            raise ValueError(f"not for {self.rows} rows")
        return super().predict_proba(X)


class CannotBePickled(_Fragile):
    """Once fitted, it holds what no pickle can."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> CannotBePickled:
        """Fit."""
        self.lock_ = threading.Lock()
        return super().fit(X, y, sample_weight)
