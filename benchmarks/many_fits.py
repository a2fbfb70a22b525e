"""15,625 fits in one sweep: five parameters of five values each, five folds, every candidate a run on sqlite.

    python -m benchmarks.many_fits

prints the whole time, the time and the memory of each thousand of candidates, and how long the parent's children take
to list. The estimator is a decision tree, which a fold of 1,797 digits trains in milliseconds: what is measured is
everything around a fit.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import psutil
from sklearn.datasets import load_digits

import tuning
from benchmarks.measuring import table
from report.pictures import Album
from tracking import EntryRun, SweepRecorder, report
from tuning import Dataset, FoldScore, SweepResult, SweepSpec

GRID: dict[str, list[Any]] = {
    "max_depth": [3, 4, 5, 6, 7],
    "min_samples_leaf": [1, 2, 4, 8, 16],
    "min_samples_split": [2, 4, 8, 16, 32],
    "max_features": [4, 8, 12, 16, 20],
    "ccp_alpha": [0.0, 0.0005, 0.001, 0.002, 0.004],
}
_THOUSAND = 1000


class Stopwatch:
    """An observer that notes when every thousandth candidate was complete, and the memory held then."""

    def __init__(self, n_folds: int) -> None:
        self._n_folds = n_folds
        self._scored = 0
        self.marks: list[tuple[float, float]] = []

    def started(self, spec: SweepSpec, n_candidates: int | None, n_folds: int) -> None:
        """Start the watch."""
        self._mark()

    def scored(self, scores: list[FoldScore]) -> None:
        """Note the time where these complete a thousand candidates."""
        before = self._scored // (_THOUSAND * self._n_folds)
        self._scored += len(scores)
        if self._scored // (_THOUSAND * self._n_folds) > before:
            self._mark()

    def ended(self, result: SweepResult) -> None:
        """Stop the watch."""
        self._mark()

    def _mark(self) -> None:
        self.marks.append((time.perf_counter(), psutil.Process().memory_info().rss / 2**20))


def run(values: int, cores: int) -> None:
    X, y = load_digits(return_X_y=True)
    spec = SweepSpec(
        estimator="sklearn.tree.DecisionTreeClassifier",
        fixed={"random_state": 0},
        grid={name: each[:values] for name, each in GRID.items()},
        scoring="accuracy",
    )
    stopwatch = Stopwatch(5)
    begun = time.perf_counter()
    with EntryRun.begin("sweep") as entry:
        with tuning.open_engine("local", cores) as engine, SweepRecorder(entry) as recorder:
            result = tuning.sweep(spec, Dataset(X, y, np.unique(y)), engine, [recorder, stopwatch])
        recorded = time.perf_counter() - begun
        report.log_result(entry, spec, result)
        with tempfile.TemporaryDirectory() as folder:
            Album().add_result(result, spec, Path(folder))
            entry.log_folder(Path(folder), report.PLOTS_FOLDER)
        whole = time.perf_counter() - begun
        listed = _list_children(entry)
    rows = [
        ["fits", f"{result.n_fits:,}"],
        ["sweep with its runs, s", f"{recorded:.0f}"],
        ["with report, s", f"{whole:.0f}"],
    ]
    for number, (early, late) in enumerate(zip(stopwatch.marks[:-2], stopwatch.marks[1:-1], strict=True), start=1):
        rows.append([f"thousand {number} of candidates", f"{late[0] - early[0]:.0f} s, {late[1]:.0f} MiB"])
    rows.append([f"listing {listed[0]:,} children, s", f"{listed[1]:.1f}"])
    print(table(["", ""], rows))


def _list_children(entry: EntryRun) -> tuple[int, float]:
    begun = time.perf_counter()
    children = mlflow.MlflowClient().search_runs(
        [entry.experiment_id], f"tags.`mlflow.parentRunId` = '{entry.run_id}'", max_results=50_000
    )
    return len(children), time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--values", type=int, default=5, help="values of each parameter, at most 5")
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        mlflow.set_tracking_uri(f"sqlite:///{Path(folder) / 'mlflow.db'}")
        run(options.values, options.cores)


if __name__ == "__main__":
    main()
