"""A grid beside its peers, at equal results: time, processor time, memory, and the largest difference in a split score.

    python -m benchmarks.sweep --space published            # the published 4 candidates x 5 folds
    python -m benchmarks.sweep --space rounds               # n_estimators 50, 100 ... 300 x 5 folds

Features are those of the synthetic data at ``--scale``, all feature sets. ``--divide`` shortens every candidate's
rounds by a factor, which leaves the ratios of boosting as they are and makes the full width affordable. Contenders run
in turn, ``--repeat`` times, and each figure is the median of its ratios to ours in the same turn.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml

from benchmarks.contenders import CONTENDERS
from benchmarks.measuring import Cost, median, run_module, table
from features import build, parse_feature_sets
from sources.synthetic import generate

PUBLISHED = Path(__file__).parents[1] / "spaces" / "xgboost-small.yaml"
GRIDS = {"published": {}, "rounds": {"n_estimators": [50, 100, 150, 200, 250, 300]}}
"""What takes the place of the published grid."""

OURS, FLOOR = "gridfold", "floor"


def make_features(scale: float, folder: Path, holdout: float = 0.1) -> Path:
    tables = {name: frame.lazy() for name, frame in generate(scale, seed=0)}
    matrix = build(tables, parse_feature_sets("all"), holdout=holdout, seed=0)
    print(f"features: {matrix.X.shape[0]:,} devices x {matrix.X.shape[1]:,} columns", flush=True)
    matrix.save(folder)
    return folder


def write_spec(space: str, divide: int, path: Path) -> Path:
    spec = yaml.safe_load(PUBLISHED.read_text())
    grid = GRIDS[space] or spec["grid"]
    spec["grid"] = dict(grid, n_estimators=[max(1, rounds // divide) for rounds in grid["n_estimators"]])
    path.write_text(yaml.safe_dump(spec))
    return path


def compare(features: Path, spec: Path, names: Sequence[str], cores: int, repeat: int) -> None:
    turns: list[dict[str, Cost | str]] = []
    for turn in range(repeat):
        costs: dict[str, Cost | str] = {}
        for name in names:
            costs[name] = run_module("benchmarks.contenders", [name, str(features), str(spec), str(cores)])
            print(f"turn {turn + 1}: {name}: {_said(costs[name])}", flush=True)
        turns.append(costs)
    print()
    header = ["", "seconds", "CPU s", "peak MiB", "time / ours", "memory / ours", "largest score difference"]
    print(table(header, [_row(name, turns) for name in names]))


def _said(cost: Cost | str) -> str:
    return (
        cost
        if isinstance(cost, str)
        else f"{cost.seconds:.1f} s, {cost.cpu_seconds:.1f} CPU s, {cost.peak_mib:,.0f} MiB"
    )


def _row(name: str, turns: Sequence[dict[str, Cost | str]]) -> list[str]:
    pairs = [(turn[name], turn[OURS]) for turn in turns]
    good = [(cost, ours) for cost, ours in pairs if isinstance(cost, Cost) and isinstance(ours, Cost)]
    if not good:
        return [name, "-", "-", "-", "-", "-", str(pairs[0][0])[:60]]
    if name == FLOOR:
        seconds = [float(cost.answer) for cost, _ in good]
        ratio = median(s / ours.seconds for s, (_, ours) in zip(seconds, good, strict=True))
        return [name, f"{median(seconds):.1f}", "", "", f"{ratio:.2f}", "", ""]
    difference = max(np.abs(np.array(cost.answer) - np.array(ours.answer)).max() for cost, ours in good)
    return [
        name,
        f"{median(cost.seconds for cost, _ in good):.1f}",
        f"{median(cost.cpu_seconds for cost, _ in good):.1f}",
        f"{median(cost.peak_mib for cost, _ in good):,.0f}",
        f"{median(cost.seconds / ours.seconds for cost, ours in good):.2f}",
        f"{median(cost.peak_mib / ours.peak_mib for cost, ours in good):.2f}",
        f"{difference:.1e}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--space", choices=GRIDS, default="published")
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--divide", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--peers", default="GridSearchCV", help="a comma list, or 'all'")
    options = parser.parse_args()
    peers = list(CONTENDERS)[1:-1] if options.peers == "all" else options.peers.split(",")
    with tempfile.TemporaryDirectory() as folder:
        features = make_features(options.scale, Path(folder))
        spec = write_spec(options.space, options.divide, Path(folder) / "spec.yaml")
        compare(features, spec, [OURS, *peers, FLOOR], options.cores, options.repeat)


if __name__ == "__main__":
    main()
