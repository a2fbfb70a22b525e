"""Run a piece of work in a process of its own and see what it takes: wall time, processor time, peak memory.

Memory is that of the whole tree of processes, sampled, each shared page counted once (PSS): the sum of resident sizes
would count the pages that workers share once per worker, and the largest process alone would forgive copies.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

_SAMPLE_SECONDS = 0.1
_SAMPLING = 0.03  # of the time at most: to count the pages of gigabytes takes hundredths of a second


@dataclass(frozen=True)
class Cost:
    """What one run took.

    Attributes
    ----------
    seconds : float
        Of the work, as it timed itself: the start of Python and the loading of data are left out.
    cpu_seconds : float
        Of all processes, start included.
    peak_mib : float
        Of all processes together, Python and its libraries included.
    answer : object
        What the work printed beside its time.
    """

    seconds: float
    cpu_seconds: float
    peak_mib: float
    answer: Any


def run_module(module: str, arguments: Sequence[str]) -> Cost | str:
    """Run ``python -m module arguments``, which must end with a line of JSON: ``{"seconds": ..., "answer": ...}``.

    Returns
    -------
    Cost or str
        The last line of what it said, where it failed.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        process = psutil.Popen([sys.executable, "-m", module, *arguments], stdout=out, stderr=errors)
        seen = _watch(process)
        out.seek(0)
        errors.seek(0)
        printed, said = out.read().strip().splitlines(), errors.read().strip().splitlines()
    if process.returncode or not printed:
        return said[-1] if said else f"exit {process.returncode}"
    result = json.loads(printed[-1])
    return Cost(result["seconds"], seen.cpu_seconds, seen.peak_mib, result.get("answer"))


@dataclass
class _Seen:
    peak_mib: float = 0.0
    cpu_seconds: float = 0.0


def _watch(process: psutil.Popen) -> _Seen:
    """Sample the tree of `process` until it ends; its own accounting covers the children that it has waited for."""
    seen, due = _Seen(), 0.0
    while process.poll() is None:
        tree = [process, *_children(process)]
        seen.cpu_seconds = max(seen.cpu_seconds, sum(map(_cpu, tree)))
        begun = time.perf_counter()
        if begun >= due:
            seen.peak_mib = max(seen.peak_mib, sum(map(_pss, tree)) / 2**20)
            due = begun + (time.perf_counter() - begun) / _SAMPLING
        time.sleep(_SAMPLE_SECONDS)
    return seen


def _children(process: psutil.Popen) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.Error:
        return []


def _pss(process: psutil.Process) -> int:
    try:
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
    except (OSError, psutil.Error):
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _cpu(process: psutil.Process) -> float:
    try:
        return float(sum(process.cpu_times()[:4]))
    except (OSError, psutil.Error):
        return 0.0


def timed(work: Callable[[], Any]) -> None:
    """Do `work` and print the line that ``run_module`` reads."""
    begun = time.perf_counter()
    answer = work()
    print(json.dumps({"seconds": time.perf_counter() - begun, "answer": answer}))


def median(values: Iterable[float]) -> float:
    """Median; a shared machine makes means meaningless."""
    return statistics.median(values)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Set rows as an aligned Markdown table."""
    cells = [list(header), *[list(row) for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(lines)
