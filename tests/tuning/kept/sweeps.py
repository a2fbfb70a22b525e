"""Small sweeps that keep predictions, and the score of what they have kept."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.differential.ours import InProcess
from tests.tuning.memories import JournalMemory
from tuning import Dataset, Scorers, SweepSpec, sweep
from tuning.kept.predictions import KeptPredictions
from tuning.kept.responses import Replayed
from tuning.kept.table import OutOfFold, write
from tuning.spec.estimators import make_estimator

N_ROWS = 60
_Y = np.arange(N_ROWS) % 3
X = (np.random.default_rng(0).normal(size=(N_ROWS, 4)) + 0.7 * _Y[:, None]).astype(np.float32)
IDS = np.arange(N_ROWS) + 1_000
THREE = Dataset(X, _Y, np.array(["cat", "dog", "emu"]), ids=IDS)
TWO = Dataset(X, (_Y == 1).astype(int), np.array([3, 7]), ids=IDS)
NUMBERS = Dataset(X, X.sum(axis=1) + np.arange(N_ROWS) % 5)
BOTH = Dataset(X, np.column_stack([NUMBERS.y, X[:, 0]]))
WEIGHED = replace(TWO, sample_weight=1.0 + np.arange(N_ROWS) % 4)

BOOSTED = {
    "estimator": "xgboost.XGBClassifier",
    "fixed": {"random_state": 0, "subsample": 0.7},
    "grid": {"max_depth": [1, 2], "n_estimators": [3, 6]},
    "scoring": ["neg_log_loss", "accuracy"],
    "refit": "neg_log_loss",
    "cv": {"folds": 3},
}
LINEAR = {
    "estimator": "sklearn.linear_model.LogisticRegression",
    "fixed": {"random_state": 0},
    "grid": {"C": [0.01, 1.0]},
    "scoring": ["roc_auc", "accuracy", "neg_log_loss"],
    "refit": "roc_auc",
    "cv": {"folds": 3},
}
RIDGE = {
    "estimator": "sklearn.linear_model.Ridge",
    "fixed": {"random_state": 0},
    "grid": {"alpha": [1.0, 50.0]},
    "scoring": ["r2", "neg_mean_squared_error"],
    "refit": "r2",
    "cv": {"folds": 3},
}


class Kept:
    """A sweep that has ended in `folder`, and the file that it has written."""

    def __init__(self, folder: Path, data: Dataset, written: dict, keep: str = "predictions", **asked):
        self.data, self.spec = data, SweepSpec(**{**written, "keep": keep})
        self.predictions = None
        if asked.get("kept", True):
            self.predictions = KeptPredictions(folder / "predictions", keep == "predictions")
        with JournalMemory(folder / "journal") as memory, asked.get("engine") or nullcontext(InProcess()) as engine:
            self.result = sweep(self.spec, data, engine, (), memory, self.predictions)
        if self.predictions is not None:
            self.n_written = write(folder / "out.parquet", self.result, self.predictions, data)
            self.file = OutOfFold(folder / "out.parquet")
            self.on_disk = {path.stem for path in (folder / "predictions").rglob("*.npz")}

    def scored_again(self, judged) -> dict[str, list[float]]:
        """Score by scorer and fold what the file says that a candidate has answered."""
        scorers, like = Scorers.of(self.spec), make_estimator(self.spec.estimator, {})
        found: dict[str, list[float]] = {name: [] for name in scorers.by_name}
        for fold, answers in enumerate(self.file.responses(judged, self.data.classes)):
            numbers = self.file.rows[self.file.folds == fold] - (0 if self.data.ids is None else IDS[0])
            rows = self.data.rows(numbers)
            rows = replace(rows, y=rows.labels, classes=None)
            for name, score in scorers.score(Replayed(like, answers, self.data.classes), rows).items():
                found[name].append(score)
        return found
