"""What the fits of a fold have in common: made once, shared by threads, and let go when it pays to make it again.

All that the folds of a sweep share is as large as its data several times over. What a fold shares is cheap to make anew
beside a fit of many rounds and dear beside one of few, so what a fit took decides whether it is kept for the next.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tuning.control import UNATTENDED, Control
from tuning.dataset import Dataset
from tuning.plan import Fit
from tuning.workload import Workload

Made = TypeVar("Made")
_CHEAP = 0.01  # of the time of the fit that has just ended: what making a fold's share again may cost
_TEST = "test rows"


class FoldKeeper:
    """Test rows and whatever else learners make once per fold, shared by the threads of one process.

    Parameters
    ----------
    workload : Workload
    threads : bool
        Whether several threads fit at the same time and say which fits they expect. Else what only some candidates
        share is gone with the fit that holds them all.
    clock : callable
        Returns seconds.
    """

    def __init__(
        self, workload: Workload, threads: bool = False, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.workload = workload
        self._clock = clock
        self.threads = threads
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
        """Keep the fold while `fit` runs; then let it go if no more are expected, or it is cheap to make."""
        with self._lock:
            self._running[fit.fold] += 1
        begun = self._clock()
        try:
            yield
        finally:
            self._ended(fit.fold, self._clock() - begun)

    def _ended(self, fold: int, seconds: float) -> None:
        with self._lock:
            self._expected[fold] -= 1
            self._running[fold] -= 1
            ours = [key for key in self._kept if key[0] == fold]
            cheap = sum(self._seconds[key] for key in ours) <= _CHEAP * seconds
            if self._expected[fold] <= 0 or (cheap and self._running[fold] <= 0):
                for key in ours:
                    del self._kept[key], self._making[key], self._seconds[key]

    def rows(self, fit: Fit, control: Control = UNATTENDED) -> KeptRows:
        """Return the rows of the fold of `fit`, as its learner takes them."""
        return KeptRows(self, fit, control)

    def once(self, fold: int, name: str, make: Callable[[], Made]) -> Made:
        """Make what `name` stands for in `fold` unless it is there; who comes meanwhile waits for it."""
        key = (fold, name)
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if key in self._kept:
                    kept: Made = self._kept[key]
                    return kept
            begun = self._clock()
            made = make()
            with self._lock:
                self._kept[key] = made
                self._seconds[key] = self._clock() - begun
                self._making.setdefault(key, making)
            return made


class KeptRows:
    """One fold as one fit sees it; see ``tuning.learners.base.FoldRows``.

    Parameters
    ----------
    keeper : FoldKeeper
    fit : Fit
    control : Control
    """

    def __init__(self, keeper: FoldKeeper, fit: Fit, control: Control) -> None:
        self._keeper = keeper
        self._fit = fit
        self._fold = keeper.workload.folds[fit.fold]
        self.threads = fit.threads
        self.control = control
        self._of_this_fit: dict[str, Any] = {}

    @property
    def has_all_classes(self) -> bool:
        """Whether the training rows have a row of each class."""
        data = self._keeper.workload.data
        return data.classes is None or len(np.unique(data.y[self._rows()])) == len(data.classes)

    def _rows(self) -> NDArray[np.intp]:
        return self._fold.train_share(self._fit.rows, self._keeper.workload.data)

    def training(self) -> Dataset:
        """Training rows, or the share of them that the fit is to have; copied each time."""
        return self._keeper.workload.data.rows(self._rows())

    def test(self) -> Dataset:
        """Test rows, copied each time."""
        return self._keeper.workload.data.rows(self._fold.test)

    def shared_test(self) -> Dataset:
        """Test rows, one copy that nobody can write to."""
        return self.once(_TEST, lambda: read_only(self.test()))

    def once(self, name: str, make: Callable[[], Made], for_all: bool = True) -> Made:
        """Return what `name` stands for in this fold and this share of its rows."""
        if not for_all and not self._keeper.threads:
            if name not in self._of_this_fit:
                self._of_this_fit[name] = make()
            mine: Made = self._of_this_fit[name]
            return mine
        whole = self._fit.rows == 1.0 or name == _TEST
        return self._keeper.once(self._fit.fold, name if whole else f"{self._fit.rows} {name}", make)


def read_only(data: Dataset) -> Dataset:
    """Make the arrays of `data` refuse to be written to, and return it."""
    for array in _arrays(data.X, data.y, data.sample_weight):
        array.flags.writeable = False
    return data


def _arrays(*parts: Any) -> Iterator[np.ndarray[Any, Any]]:
    for part in parts:
        if isinstance(part, np.ndarray):
            yield part
        elif hasattr(part, "indptr"):  # a sparse matrix by rows or columns
            yield from (part.data, part.indices, part.indptr)
