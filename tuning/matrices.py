"""What the fits of a fold have in common, made once and let go when the last of them has ended."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

import xgboost as xgb

from tuning.boosting import can_share_matrix, matrix_signature, training_matrix
from tuning.dataset import Dataset
from tuning.plan import Fit, Workload

Made = TypeVar("Made")


class FoldMatrices:
    """Training matrices and test rows by fold, shared by the threads of one process.

    Cuts over all rows would serve every fold at once, but they would carry the test rows' values into training.

    Parameters
    ----------
    workload : Workload
    """

    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._kept: dict[tuple[int, str], Any] = {}
        self._making: dict[tuple[int, str], threading.Lock] = {}
        self._expected: Counter[int] = Counter()
        self._lock = threading.Lock()

    def expect(self, fit: Fit) -> None:
        """Keep the fold's matrices at least until this fit has been ``done``."""
        with self._lock:
            self._expected[fit.fold] += 1

    def done(self, fit: Fit) -> None:
        """One expected fit has ended; with the last one the fold's matrices go."""
        with self._lock:
            self._expected[fit.fold] -= 1
            if self._expected[fit.fold] <= 0:
                for key in [key for key in self._kept if key[0] == fit.fold]:
                    del self._kept[key], self._making[key]

    def test_rows(self, fold: int) -> Dataset:
        """Rows that candidates are judged on."""
        return self._once((fold, "test"), lambda: self._workload.data.rows(self._workload.folds[fold].test))

    def training_rows(self, fit: Fit) -> Dataset:
        """Rows that the candidates of `fit` learn from; made anew each time, for they are as large as all data."""
        rows = self._workload.folds[fit.fold].train_share(fit.rows, self._workload.data)
        return self._workload.data.rows(rows)

    def training(self, fit: Fit, estimator: Any) -> xgb.DMatrix:
        """Training rows as `estimator` wants them: shared where they are bins, new where training lays out its own."""
        if not can_share_matrix(estimator):
            return self._make_training(fit, estimator)
        key = (fit.fold, f"{fit.rows} {matrix_signature(estimator)}")
        return self._once(key, lambda: self._make_training(fit, estimator))

    def _make_training(self, fit: Fit, estimator: Any) -> xgb.DMatrix:
        rows = self.training_rows(fit)
        return training_matrix(estimator, rows.X, rows.y, rows.sample_weight)

    def _once(self, key: tuple[int, str], make: Callable[[], Made]) -> Made:
        """Make what `key` names unless it is there; a thread that comes meanwhile waits rather than makes another."""
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            if key not in self._kept:
                made = make()
                with self._lock:
                    self._kept[key] = made
                return made
            kept: Made = self._kept[key]
            return kept
