"""Families of estimators beside GridSearchCV, dask-ml and the floor, at equal results.

    python -m benchmarks.families --pairs 3                # all families, each contender in turn: A B A B A B
    python -m benchmarks.families --only forest,knn --size 0.2

Each run is a fresh process, timed whole: imports, starting workers and all. The floor is the least that there is to
do: the distinct rounds or steps alone, by plain calls of the library on as many workers, nothing scored. Ratios are
medians over the pairs, of a peer to ours; the difference is the largest in any split score.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.family_cases import CASES
from benchmarks.family_contenders import CONTENDERS
from benchmarks.measuring import Cost, median, run_module, table

OURS, PEER, FLOOR = "gridfold", "GridSearchCV", "floor"


@dataclass(frozen=True)
class _Run:
    """One run of one contender, by the clock on the wall."""

    seconds: float
    cost: Cost


def run(contender: str, case: str, size: float, cores: int) -> _Run | str:
    begun = time.perf_counter()
    cost = run_module("benchmarks.family_contenders", [contender, case, str(size), str(cores)])
    seconds = time.perf_counter() - begun
    return cost if isinstance(cost, str) else _Run(seconds, cost)


def compare(case: str, size: float, cores: int, pairs: int) -> dict[str, list[_Run | str]]:
    found: dict[str, list[_Run | str]] = {name: [] for name in CONTENDERS}
    for _ in range(pairs):
        for name in CONTENDERS:
            if found[name] and isinstance(found[name][0], str):
                continue  # what could not run once is not tried again
            found[name].append(run(name, case, size, cores))
            last = found[name][-1]
            said = last if isinstance(last, str) else f"{last.seconds:.1f} s, {last.cost.peak_mib:,.0f} MiB"
            print(f"{case}: {name}: {said}", flush=True)
    return found


def _row(case: str, found: dict[str, list[_Run | str]]) -> tuple[list[str], float | None]:
    pairs = [
        (ours, theirs)
        for ours, theirs in zip(found[OURS], found[PEER], strict=False)
        if isinstance(ours, _Run) and isinstance(theirs, _Run)
    ]
    if not pairs:
        return [case, "-", "-", "-", "-", "-", str((found[OURS] or found[PEER])[0])[:70]], None
    ratio = median(theirs.seconds / ours.seconds for ours, theirs in pairs)
    difference = max(np.abs(np.array(ours.cost.answer) - np.array(theirs.cost.answer)).max() for ours, theirs in pairs)
    row = [
        case,
        f"{median(ours.seconds for ours, _ in pairs):.1f}",
        f"{ratio:.2f}",
        _ratio(found["dask-ml"], found[OURS], lambda peer, ours: peer.seconds / ours.seconds),
        _ratio(found[FLOOR], found[OURS], lambda floor, ours: ours.seconds / floor.seconds),
        f"{median(ours.cost.peak_mib / theirs.cost.peak_mib for ours, theirs in pairs):.2f}",
        f"{difference:.1e}",
    ]
    return row, ratio


def _ratio(theirs: Sequence[_Run | str], ours: Sequence[_Run | str], of: Callable[[_Run, _Run], float]) -> str:
    both = [of(a, b) for a, b in zip(theirs, ours, strict=False) if isinstance(a, _Run) and isinstance(b, _Run)]
    return f"{median(both):.2f}" if both else "-"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--size", type=float, default=1.0, help="share of the rows")
    parser.add_argument("--only", default=",".join(CASES), help="a comma list of " + ", ".join(CASES))
    options = parser.parse_args()
    rows: list[list[str]] = []
    ratios: list[float] = []
    for case in options.only.split(","):
        row, ratio = _row(case, compare(case, options.size, options.cores, options.pairs))
        rows.append(row)
        ratios += [ratio] if ratio is not None else []
    header = ["", "ours, s", "GridSearchCV / ours", "dask-ml / ours", "ours / floor", "memory / GridSearchCV's"]
    print("\n" + table([*header, "largest score difference"], rows))
    if ratios:
        print(
            f"\ngeometric mean of GridSearchCV / ours: {np.exp(np.mean(np.log(ratios))):.2f}, least {min(ratios):.2f}"
        )


if __name__ == "__main__":
    main()
