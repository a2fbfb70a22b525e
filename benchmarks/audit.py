"""What the audit of rows and folds costs, beside the reading of the same rows, and what it finds in them.

    python -m benchmarks.audit [--scale 1.0] [--repeat 5]

Two kinds of rows: the demographics features, whose reading is everything from the CSV files to the matrix in memory,
and a dense table of one's own (100 columns of numbers, as many rows), read from a CSV file as a sweep reads it. The
ratio is that of the medians, of the clock and, for a machine that does other things as well, of processors' time; the
aim is under 2 %. The synthetic data are looked at with and without their ``leak``.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.featurize import cold, make_data
from entrypoints.data.rows import training_and_holdout
from features import FeatureMatrix
from sources.own_table import read_own_table
from tuning import Dataset, SweepSpec
from tuning.audit import audited

_COLUMNS = 100


class Taken(NamedTuple):
    """Seconds of the clock, and of all processors together."""

    clock: float
    processors: float


def taken(work: Callable[[], object], repeat: int) -> Taken:
    clocks, processors = [], []
    for _ in range(repeat):
        begun, busy = time.perf_counter(), time.process_time()
        work()
        clocks.append(time.perf_counter() - begun)
        processors.append(time.process_time() - busy)
    return Taken(statistics.median(clocks), statistics.median(processors))


def show(what: str, read: Taken, train: Dataset, holdout: Dataset | None, repeat: int) -> None:
    spec = SweepSpec.load(Path(__file__).parents[1] / "spaces" / "xgboost-small.yaml")
    took = taken(lambda: audited(spec, train, holdout), repeat)
    n_rows = train.n_rows + (0 if holdout is None else holdout.n_rows)
    size = f"{n_rows:,} rows x {train.X.shape[1]:,} columns"
    print(f"{what}: {size}")
    for kind, of_read, of_audit in zip(("clock", "processors"), read, took, strict=True):
        print(f"    {kind:<12} read {of_read:6.2f} s   audit {of_audit:6.3f} s   ratio {of_audit / of_read:.2%}")
    found = audited(spec, train, holdout)
    for each in found:
        print(f"    {each.code} {each.words}")
    if not found:
        print("    nothing found")


def demographics(leak: bool, scale: float, repeat: int, scratch: Path) -> None:
    data = make_data(scratch / f"csv-{leak}", scale, leak)
    output = scratch / f"features-{leak}"
    output.mkdir()

    def read() -> None:
        cold(data, scratch, output)
        training_and_holdout(FeatureMatrix.load(output))

    of_read = taken(read, max(1, repeat // 2))
    train, holdout = training_and_holdout(FeatureMatrix.load(output))
    show("demographics, leak" if leak else "demographics", of_read, train, holdout, repeat)


def own_table(n_rows: int, repeat: int, scratch: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(n_rows, _COLUMNS)).round(6)).rename(columns=lambda place: f"x{place}")
    frame["y"] = (frame["x0"] + rng.normal(size=n_rows) > 0).astype(int)
    file = scratch / "own.csv"
    frame.to_csv(file, index=False)
    of_read = taken(lambda: read_own_table(str(file), "y"), max(1, repeat // 2))
    table = read_own_table(str(file), "y")
    classes, codes = np.unique(table.target, return_inverse=True)
    show("a table of one's own", of_read, Dataset(table.X, codes, classes, list(table.schema)), None, repeat)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="of the synthetic data (default 1.0, the real size)")
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="audit-") as folder:
        scratch = Path(folder)
        for leak in (False, True):
            demographics(leak, options.scale, options.repeat, scratch)
        own_table(max(1000, round(74_645 * options.scale)), options.repeat, scratch)


if __name__ == "__main__":
    main()
