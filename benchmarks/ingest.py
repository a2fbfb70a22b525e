"""Ingest of CSV files beside a bare Polars scan of the same files: time, as a ratio, and peak resident memory.

    python -m benchmarks.ingest FOLDER [--pairs 5]

FOLDER holds the seven CSV files; without one, full-size synthetic files are made in a temporary folder first. The two
alternate, each in a process of its own so that its peak memory is its own, and the median of the pairs' ratios is
printed: a shared machine is never equally busy twice. Processor time, which depends less on what else runs, stands
beside it. Neither counts the start of Python and its imports.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from sources.synthetic import write_csv

SCAN = """
import polars as pl
folder = Path(sys.argv[1])
def work():
    for file in sorted(folder.glob("*.csv")):
        pl.scan_csv(file).select(pl.all().count()).collect(engine="streaming")
"""

INGEST = """
from cache import Cache
from sources import Silence, ingest, source_from
source = source_from(sys.argv[1], scale=1.0, seed=0, leak=False)
def work():
    with tempfile.TemporaryDirectory(dir=sys.argv[2]) as root:
        ingest(source, Cache(Path(root)), Silence())
"""

MEASURE = """
import json, sys, tempfile, time
from pathlib import Path
{work}
started, processor = time.perf_counter(), time.process_time()
work()
seconds, processor = time.perf_counter() - started, time.process_time() - processor
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([seconds, processor, int(peak) / 1024]))
"""


class Cost(NamedTuple):
    """What one run took."""

    seconds: float
    processor_seconds: float
    peak_mib: float


def measure(work: str, folder: Path, scratch: Path) -> Cost:
    command = [sys.executable, "-c", MEASURE.format(work=work), str(folder), str(scratch)]
    return Cost(*json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def report(pairs: list[tuple[Cost, Cost]], megabytes: float) -> None:
    print(f"{megabytes:,.0f} MB of CSV, {len(pairs)} pairs, medians")
    print(f"{'':12}{'seconds':>10}{'processor':>12}{'peak MiB':>10}")
    for title, costs in zip(("bare scan", "ingest"), zip(*pairs, strict=True), strict=True):
        seconds, processor, _ = map(statistics.median, zip(*costs, strict=True))
        print(f"{title:12}{seconds:>10.2f}{processor:>12.2f}{max(cost.peak_mib for cost in costs):>10,.0f}")
    seconds = statistics.median(ingest.seconds / scan.seconds for scan, ingest in pairs)
    processor = statistics.median(ingest.processor_seconds / scan.processor_seconds for scan, ingest in pairs)
    print(f"{'ratio':12}{seconds:>10.2f}{processor:>12.2f}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("folder", type=Path, nargs="?")
    arguments.add_argument("--pairs", type=int, default=5)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder
        if folder is None:
            folder = Path(scratch) / "csv"
            write_csv(folder, scale=1.0, seed=0)
        megabytes = sum(file.stat().st_size for file in folder.glob("*.csv")) / 1e6
        measure(SCAN, folder, Path(scratch))  # brings the files into the page cache
        pairs = [
            (measure(SCAN, folder, Path(scratch)), measure(INGEST, folder, Path(scratch))) for _ in range(options.pairs)
        ]
    report(pairs, megabytes)


if __name__ == "__main__":
    main()
