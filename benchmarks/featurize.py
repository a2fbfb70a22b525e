"""All five feature sets of full-size data, beside a bare Polars scan of the CSV files and plain pandas.

    python -m benchmarks.featurize [--data DIR] [--scale 1.0] [--repeat 3] [--cores 2] [--no-pandas]

The four are ``scan`` (every cell of the seven CSV files parsed to its type, and dropped), ``tables`` (from the ingested
tables to a saved feature matrix), ``cold`` (the same from the CSV files, ingest included) and ``pandas`` (the tests'
oracle: the straightforward merges and group-bys, from the CSV files to a saved matrix). Each runs in a process of its
own, so that its peak memory is its own; the first three take turns, since a shared machine is never equally busy twice,
and the ratios are medians over the rounds; pandas, which is slow, runs once. Times leave out the start of Python and
its imports. Without --data, the synthetic files are made in a temporary folder first.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import polars as pl
import scipy.sparse as sp

import features
from cache import Cache
from sources import Silence, ingest, source_from
from sources.schema import TABLES

ROOT = Path(__file__).parents[1]
TURNS = ("scan", "tables", "cold")


class Cost(NamedTuple):
    """What one run took: seconds, and the largest resident memory of its process."""

    seconds: float
    peak_mib: float


def scan(data: Path, tables: Path, output: Path) -> None:
    for name, table in TABLES.items():
        pl.scan_csv(data / f"{name}.csv", schema=dict(table.columns)).select(pl.all().count()).collect(
            engine="streaming"
        )


def from_tables(data: Path, tables: Path, output: Path) -> None:
    features.build({name: pl.scan_parquet(tables / f"{name}.parquet") for name in TABLES}).save(output)


def cold(data: Path, tables: Path, output: Path) -> None:
    with tempfile.TemporaryDirectory(dir=output) as root:
        from_tables(data, ingested(data, Path(root)), output)


def plain_pandas(data: Path, tables: Path, output: Path) -> None:
    from tests.features.pandas_oracle import pandas_features

    dates = {"events": ["timestamp"]}
    frames = {name: pd.read_csv(data / f"{name}.csv", parse_dates=dates.get(name)) for name in TABLES}
    X, columns = pandas_features(frames, features.FEATURE_SETS)
    sp.save_npz(output / "matrix.npz", X, compressed=False)
    columns.to_parquet(output / "columns.parquet")


STEPS: dict[str, Callable[[Path, Path, Path], None]] = {
    "scan": scan,
    "tables": from_tables,
    "cold": cold,
    "pandas": plain_pandas,
}


def ingested(data: Path, root: Path) -> Path:
    return ingest(source_from(str(data), scale=1.0, seed=0, leak=False), Cache(root), Silence()).path


def run_step(step: str, data: Path, tables: Path, output: Path) -> None:
    """Run `step` in this process and print its cost as JSON."""
    started = time.perf_counter()
    STEPS[step](data, tables, output)
    seconds = time.perf_counter() - started
    status = Path("/proc/self/status").read_text().splitlines()  # ru_maxrss would count the parent's memory as well
    peak = next(line.split()[1] for line in status if line.startswith("VmHWM"))
    print(json.dumps([seconds, int(peak) / 1024]))


def measured(step: str, data: Path, tables: Path, scratch: Path, cores: int) -> Cost:
    """Run `step` in a process of its own on so many cores."""
    output = scratch / step
    output.mkdir(exist_ok=True)
    paths = [f"--data={data}", f"--tables={tables}", f"--output={output}"]
    command = [sys.executable, "-m", "benchmarks.featurize", f"--step={step}", *paths]
    environment = os.environ | {"POLARS_MAX_THREADS": str(cores), "OMP_NUM_THREADS": str(cores)}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return Cost(*json.loads(done.stdout))


def report(costs: dict[str, list[Cost]]) -> None:
    print(f"{'':10}{'seconds':>10}{'of a scan':>12}{'peak MiB':>10}{'runs':>6}")
    scans = costs["scan"]
    for step, runs in costs.items():
        seconds = statistics.median(run.seconds for run in runs)
        paired = zip(runs, scans, strict=True) if len(runs) == len(scans) else [(runs[0], median(scans))]
        ratio = statistics.median(run.seconds / beside.seconds for run, beside in paired)
        peak = max(run.peak_mib for run in runs)
        print(f"{step:10}{seconds:>10.2f}{ratio:>12.2f}{peak:>10,.0f}{len(runs):>6}")


def median(runs: list[Cost]) -> Cost:
    return Cost(*(statistics.median(values) for values in zip(*runs, strict=True)))


def compare(scratch: Path) -> None:
    """Say whether pandas found the same columns and values."""
    ours, theirs = (sp.csr_matrix(sp.load_npz(scratch / step / "matrix.npz")) for step in ("tables", "pandas"))
    names, expected = (pl.read_parquet(scratch / step / "columns.parquet") for step in ("tables", "pandas"))
    assert names["name"].to_list() == expected["name"].to_list(), "pandas found other columns"
    largest = np.abs((ours - theirs).data).max(initial=0)
    print(f"{ours.shape[0]:,} devices by {ours.shape[1]:,} columns, {ours.nnz:,} values; ", end="")
    print(f"largest difference from pandas {largest:g}")


def make_data(folder: Path, scale: float, leak: bool = False) -> Path:
    command = [sys.executable, "-m", "sources.synthetic", "--output", str(folder), "--scale", str(scale)]
    command += ["--leak"] if leak else []
    subprocess.run(command, cwd=ROOT, check=True)
    return folder


def bench(options: argparse.Namespace, scratch: Path) -> None:
    data = options.data or make_data(scratch / "csv", options.scale)
    tables = ingested(data, scratch / "cache")
    costs: dict[str, list[Cost]] = defaultdict(list)
    for _ in range(options.repeat):
        for step in TURNS:
            costs[step].append(measured(step, data, tables, scratch, options.cores))
    if options.pandas:
        costs["pandas"].append(measured("pandas", data, tables, scratch, options.cores))
    report(costs)
    if options.pandas:
        compare(scratch)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of the seven CSV files (default: made up)")
    parser.add_argument("--scale", type=float, default=1.0, help="of made-up data (default 1.0, the real size)")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--pandas", action=argparse.BooleanOptionalAction, default=True, help="it takes many GB")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--tables", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--output", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        run_step(options.step, options.data, options.tables, options.output)
        return
    with tempfile.TemporaryDirectory(prefix="featurize-") as scratch:
        bench(options, Path(scratch))


if __name__ == "__main__":
    main()
