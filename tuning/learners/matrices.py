"""What the fits of a fold have in common: made once, shared by threads, and let go when it pays to make it again.

All matrices of a sweep together are as large as its data several times over. A fold whose next fit is far off is cheap
to make anew beside a fit of many rounds and dear beside one of few, so what a fit took decides whether it is kept.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import xgboost as xgb

from tuning.dataset import Dataset
from tuning.learners.xgboost import can_share_matrix, matrix_signature, training_matrix
from tuning.plan import Fit, Workload

Made = TypeVar("Made")
_CHEAP = 0.01  # of the time of the fit that has just ended: what making a fold's matrices again may cost
_release_freed = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's alone


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
        self._seconds: dict[tuple[int, str], float] = {}
        self._expected: Counter[int] = Counter()
        self._running: Counter[int] = Counter()
        self._lock = threading.Lock()

    def expect(self, fit: Fit) -> None:
        """Say that `fit` will come, so that its fold is worth keeping."""
        with self._lock:
            self._expected[fit.fold] += 1

    @contextmanager
    def in_use(self, fit: Fit) -> Iterator[None]:
        """Keep the fold while an expected `fit` runs; then let it go if no more will come, or it is cheap to make."""
        with self._lock:
            self._running[fit.fold] += 1
        begun = time.perf_counter()
        try:
            yield
        finally:
            self._ended(fit.fold, time.perf_counter() - begun)

    def _ended(self, fold: int, seconds: float) -> None:
        with self._lock:
            self._expected[fold] -= 1
            self._running[fold] -= 1
            ours = [key for key in self._kept if key[0] == fold]
            cheap = sum(self._seconds[key] for key in ours) <= _CHEAP * seconds
            if self._expected[fold] <= 0 or (cheap and self._running[fold] <= 0):
                for key in ours:
                    del self._kept[key], self._making[key], self._seconds[key]

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
        matrix = training_matrix(estimator, rows.X, rows.y, rows.sample_weight)
        del rows
        if _release_freed is not None:
            _release_freed(0)  # sketching has freed as much as the matrix holds, which the allocator would keep
        return matrix

    def _once(self, key: tuple[int, str], make: Callable[[], Made]) -> Made:
        """Make what `key` names unless it is there; a thread that comes meanwhile waits rather than makes another."""
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            if key not in self._kept:
                begun = time.perf_counter()
                made = make()
                with self._lock:
                    self._kept[key] = made
                    self._seconds[key] = time.perf_counter() - begun
                return made
            kept: Made = self._kept[key]
            return kept
