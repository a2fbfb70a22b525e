"""What it costs to remember: 15,625 cells written as they end, and read again by the same sweep.

    python -m benchmarks.journal [--values 5] [--repeats 5]

The fits take no time, so that all that is left is the loop with and without its memory; their difference is what a cell
pays for its address, its line and its share of the disk's syncs. Resuming is the whole of ``tuning.sweep``: hashing the
rows, reading the file, naming every cell and telling everyone.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.datasets import load_digits

import tuning
from benchmarks.many_fits import GRID
from benchmarks.measuring import table
from cache.journal import Journal
from tuning import Dataset, Fit, FoldScore, SweepResult, SweepSpec, Workload
from tuning.cells import Cells, Record
from tuning.content import rows_digest
from tuning.engines.ledger import Ledger

_MIB = 2**20


class Instant:
    """An engine whose fits take no time."""

    name = "instant"
    workers = 2
    began: Callable[[Fit], None] | None = None

    def __init__(self) -> None:
        self.ledger = Ledger()

    def open(self, workload: Workload) -> None:
        """Nothing is needed."""

    def submit(self, fit: Fit) -> Future[list[FoldScore]]:
        """Answer at once, with a score that depends on the cell alone."""
        if self.began is not None:
            self.began(fit)
        future: Future[list[FoldScore]] = Future()
        future.set_result(
            [
                FoldScore(each, fit.fold, {"accuracy": int(each.key, 16) / 16**12}, 0.001, 0.001, shared="alone")
                for each in fit.candidates
            ]
        )
        return future

    def give_up(self, reason: str) -> None:
        """Nothing runs."""

    def close(self, cancel: bool = False) -> None:
        """Nothing runs."""


class FolderMemory:
    """Remembers in a folder, as a sweep's command does in its cache."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.journal: Journal
        self.reading = 0.0

    def open(self, cells: Cells) -> None:
        """Read the journal."""
        begun = time.perf_counter()
        self.journal = Journal(self._folder / cells.ground)
        self.reading = time.perf_counter() - begun

    def find(self, addresses: Sequence[str]) -> Mapping[str, Record]:
        """Look `addresses` up."""
        self.journal.refresh()
        return self.journal.find(addresses)

    def begin(self, addresses: Sequence[str]) -> None:
        """Write that they begin."""
        self.journal.begin(addresses)

    def suspects(self) -> Collection[str]:
        """Return those that may be to blame."""
        return self.journal.suspects()

    def keep(self, records: Mapping[str, Record], lost: Collection[str]) -> None:
        """Write them down."""
        self.journal.add(records, lost)


def timed_sweep(spec: SweepSpec, data: Dataset, memory: FolderMemory | None) -> tuple[float, SweepResult]:
    begun = time.perf_counter()
    result = tuning.sweep(spec, data, Instant(), [], memory)
    if memory is not None:
        memory.journal.close()
    return time.perf_counter() - begun, result


def hashing_rate() -> float:
    """MiB a second of a sparse matrix."""
    X: Any = sp.random(200_000, 2_000, density=0.05, format="csr", dtype=np.float32, random_state=0)
    data = Dataset(X, np.arange(X.shape[0]) % 2)
    begun = time.perf_counter()
    rows_digest(data)
    return float((X.data.nbytes + X.indices.nbytes) / _MIB / (time.perf_counter() - begun))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--values", type=int, default=5, help="values of each parameter, at most 5")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    X, y = load_digits(return_X_y=True)
    data = Dataset(X, y, np.unique(y))
    spec = SweepSpec(
        estimator="sklearn.tree.DecisionTreeClassifier",
        fixed={"random_state": 0},
        grid={name: each[: options.values] for name, each in GRID.items()},
        scoring="accuracy",
    )
    without, written, resumed, read, size = [], [], [], [], 0
    for _ in range(options.repeats):
        with tempfile.TemporaryDirectory() as folder:
            seconds, first = timed_sweep(spec, data, None)
            without.append(seconds)
            written.append(timed_sweep(spec, data, FolderMemory(Path(folder)))[0])
            memory = FolderMemory(Path(folder))
            seconds, again = timed_sweep(spec, data, memory)
            resumed.append(seconds)
            read.append(memory.reading)
            size = memory.journal.file.stat().st_size
        if (again.n_fits, again.n_reused) != (0, first.n_fits) or not np.array_equal(
            again.split_scores(), first.split_scores()
        ):
            raise SystemExit("the resumed sweep is not the first one")
    n_cells = first.n_fits
    a_cell = statistics.median((late - early) / n_cells for early, late in zip(without, written, strict=True))
    rows = [
        ["cells", f"{n_cells:,}"],
        ["a sweep of fits that take no time, s", f"{statistics.median(without):.2f}"],
        ["the same, remembered, s", f"{statistics.median(written):.2f}"],
        ["a cell pays, ms", f"{1000 * a_cell:.3f}"],
        ["resumed, s", f"{statistics.median(resumed):.2f}"],
        ["of that reading the journal, s", f"{statistics.median(read):.2f}"],
        ["journal, MiB", f"{size / _MIB:.1f}"],
        ["hashing rows, MiB a second", f"{hashing_rate():.0f}"],
    ]
    print(table(["", f"median of {options.repeats}"], rows))


if __name__ == "__main__":
    main()
