"""An estimator that misbehaves in the way that its parameter names, in whatever process it is fitted."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Unruly(ClassifierMixin, BaseEstimator):
    """Predicts the first class, if its ``fit`` returns.

    Parameters
    ----------
    mood : str
        What ``fit`` does.
    diary : str
        A file that gets a line for every fit that is begun: its mood and its process.
    """

    def __init__(self, mood: str = "calm", diary: str = "", number: int = 0) -> None:
        self.mood = mood
        self.diary = diary
        self.number = number

    def fit(self, X: Any, y: Any) -> Unruly:
        """Behave as asked."""
        if self.diary:
            with open(self.diary, "a") as diary:
                diary.write(f"{self.mood} {os.getpid()}\n")
        getattr(self, f"_{self.mood}")()
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predict the first class."""
        return np.full(X.shape[0], self.classes_[0])

    def _calm(self) -> None:
        """Do nothing wrong."""

    def _raise(self) -> None:
        raise ValueError("a mood\nof two lines")

    def _exit(self) -> None:
        raise SystemExit("I am leaving")

    def _interrupt(self) -> None:
        raise KeyboardInterrupt

    def _leave(self) -> None:
        os._exit(7)

    def _crash(self) -> None:
        ctypes.string_at(0)

    def _starve(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)  # as the kernel does when memory runs out

    def _stumble(self) -> None:
        """End the process the first time only."""
        if Path(self.diary).read_text().count("stumble") == 1:
            os._exit(9)

    def _sleep(self) -> None:
        time.sleep(600)

    def _spin(self) -> None:
        while True:
            pass

    def _hoard(self) -> None:
        raise MemoryError

    def _leak(self) -> None:
        _lost.append(np.ones(80_000_000))

    def _unsendable(self) -> None:
        """Leave a lock behind, which nothing can send."""
        self.lock_ = threading.Lock()


_lost: list[Any] = []
