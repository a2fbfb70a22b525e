"""What a model would weigh and how long it would take for one row, before it is logged: on a disk of this machine."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mlflow.models import Model

from tracking import model_files, preparation
from tracking.gridfold_model import LabelledModel
from tracking.model_files import FittedModel

_REPEATS = 15


@dataclass(frozen=True)
class Measured:
    """Figures of a model.

    Attributes
    ----------
    size_mb : float
        Of its files.
    latency_ms : float
        Median time to predict for one row as a caller sends it, with one thread, as it is served.
    """

    size_mb: float
    latency_ms: float


def measure(fitted: FittedModel) -> Measured:
    """Write `fitted` as it would be logged, load it, and let it predict."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "model"
        model_files.save(fitted, folder, Model())
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        model = LabelledModel.load(folder)
        rows = preparation.example_of(fitted.preparation) if fitted.preparation else model_files.example_of(fitted)
        row = rows[:1] if not hasattr(rows, "iloc") else rows.iloc[:1]
        return Measured(size / 1e6, median_ms(lambda: model.predict(row)))


def median_ms(predict: Callable[[], object]) -> float:
    """Return the median time of a call."""
    taken = []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        predict()
        taken.append(time.perf_counter() - began)
    return 1000 * statistics.median(taken)
