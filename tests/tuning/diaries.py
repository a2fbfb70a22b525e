"""What tests of engines on Spark have in common: rows, a spec, and an estimator that writes down what becomes of it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification

from tuning import Dataset, Scorers, SweepSpec, Workload


class Diary(ClassifierMixin, BaseEstimator):
    """Writes a line into a file for every fit, and then does as it is told."""

    def __init__(self, folder="", mood="calm", seconds=0.0, number=0, waits=""):
        self.folder, self.mood, self.seconds, self.number, self.waits = folder, mood, seconds, number, waits

    def fit(self, X, y):
        from tuning.engines.spark import worker

        data = [id(workload.data) for workload, _ in worker._kept.values()]
        with open(f"{self.folder}/diary", "a") as diary:
            diary.write(f"{os.getpid()} {os.getppid()} {self.mood} {data}\n")
        if self.mood == "raise":
            raise ValueError("a mood\nof two lines")
        if self.mood == "die":
            os._exit(3)
        time.sleep(self.seconds)
        while self.waits and not os.path.exists(self.waits):
            time.sleep(0.05)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.zeros(X.shape[0], dtype=int)


def rows(n_rows=240, n_classes=3):
    X, y = make_classification(n_rows, 12, n_informative=8, n_classes=n_classes, random_state=0)
    return Dataset(sp.csr_matrix(np.where(X > 0, X, 0), dtype=np.float32), y, np.unique(y))


def spec(**changes):
    given = {
        "estimator": "xgboost.XGBClassifier",
        "fixed": {"random_state": 0, "subsample": 0.8},
        "grid": {"n_estimators": [4, 8], "max_depth": [2, 3]},
        "scoring": "neg_log_loss",
        "cv": {"folds": 3, "seed": 1},
    }
    return SweepSpec(**{**given, **changes})


@contextmanager
def diaries(folder: Path) -> Iterator[tuple[Workload, Callable[[], list[list[str]]]]]:
    """Give a workload of diaries, pickled by value, and a function that reads their lines."""
    from pyspark import cloudpickle

    here = sys.modules[Diary.__module__]
    cloudpickle.register_pickle_by_value(here)
    folds = Workload.for_spec(spec(), rows()).folds
    workload = Workload(Diary(str(folder)), Scorers.named("accuracy"), rows(), folds)

    def lines() -> list[list[str]]:
        path = folder / "diary"
        return [line.split(maxsplit=3) for line in path.read_text().splitlines()] if path.exists() else []

    yield workload, lines
    cloudpickle.unregister_pickle_by_value(here)
