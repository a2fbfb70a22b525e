"""What giving up exactness saves, and how often the exact winner is kept.

    python -m benchmarks.approximations

Sweeps the same grid over synthetic data of several seeds: once exactly, then with racing, with halving over rounds and
over rows, with 16 bins, without the columns of fewer than 20 devices, and with the last two together. Prints, for each,
the share of the exact processor time, how often the winner is the exact one, and how much worse the chosen candidate
is: by the exact sweep's own mean, and on the hold-out.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import tuning
from benchmarks.measuring import median, table
from entrypoints.data.rows import training_and_holdout
from features import build, parse_feature_sets
from sources.synthetic import generate
from tuning import Dataset, SweepResult, SweepSpec

BASE: Mapping[str, Any] = {
    "estimator": "xgboost.XGBClassifier",
    "fixed": {"random_state": 0, "objective": "multi:softprob", "learning_rate": 0.1},
    "grid": {"n_estimators": [20, 40, 60], "max_depth": [2, 3, 4], "min_child_weight": [1, 10, 50]},
    "scoring": "neg_log_loss",
    "cv": {"folds": 10},
}
FEW_BINS = {"fixed": {**BASE["fixed"], "max_bin": 16}}
MIN_DEVICES = 20


@dataclass(frozen=True)
class Way:
    """One way to give up exactness."""

    changes: Mapping[str, Any]
    min_devices: int = 1


WAYS: Mapping[str, Way] = {
    "racing": Way({"search": {"strategy": "racing"}}),
    "halving, rounds": Way({"search": {"strategy": "halving"}}),
    "halving, rows": Way({"search": {"strategy": "halving", "resource": "rows"}}),
    "max_bin 16": Way(FEW_BINS),
    "min_devices 20": Way({}, MIN_DEVICES),
    "max_bin 16, min_devices 20": Way(FEW_BINS, MIN_DEVICES),
}


@dataclass(frozen=True)
class Outcome:
    """What one sweep chose, the processor seconds that it took, and how its refitted winner does on the hold-out."""

    seconds: float
    result: SweepResult
    holdout: float


def run(changes: Mapping[str, Any], train: Dataset, holdout: Dataset, cores: int) -> Outcome:
    spec = SweepSpec.model_validate({**BASE, **changes})
    begun = time.process_time()  # all fits are threads of this process, and other load does not count
    with tuning.open_engine("local", cores) as engine:
        result = tuning.sweep(spec, train, engine)
    seconds = time.process_time() - begun
    winner = tuning.refit(spec, result.best, train, cores)
    return Outcome(seconds, result, tuning.score(winner, holdout, tuning.Scorers.of(spec))["neg_log_loss"])


def regret(exact: SweepResult, chosen: tuning.Candidate) -> float:
    """How far the chosen candidate's exact mean is below the exact winner's."""
    return exact.best_score - float(exact.means()[list(exact.candidates).index(chosen)])


def data_for(scale: float, seed: int) -> Callable[[int], tuple[Dataset, Dataset]]:
    tables = {name: frame.lazy() for name, frame in generate(scale, seed)}

    def rows(min_devices: int) -> tuple[Dataset, Dataset]:
        sets = parse_feature_sets("small")
        matrix = build(tables, sets, holdout=0.2, seed=seed, min_devices=min_devices)
        train, holdout = training_and_holdout(matrix)
        assert holdout is not None
        return train, holdout

    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.02)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args()
    pairs: dict[str, list[tuple[Outcome, Outcome]]] = {name: [] for name in WAYS}
    for seed in range(options.seeds):
        rows = data_for(options.scale, seed)
        exact = run({}, *rows(1), options.cores)
        print(f"seed {seed}: exact: {exact.seconds:.0f} CPU s, {exact.result.best.name}", flush=True)
        for name, way in WAYS.items():
            outcome = run(way.changes, *rows(way.min_devices), options.cores)
            pairs[name].append((exact, outcome))
            print(f"seed {seed}: {name}: {outcome.seconds:.0f} CPU s, {outcome.result.best.name}", flush=True)
    header = ["", "CPU time / exact", "exact winner kept", "mean score lost", "hold-out score gained"]
    print(table(header, [_row(name, pairs[name]) for name in WAYS]))


def _row(name: str, pairs: list[tuple[Outcome, Outcome]]) -> list[str]:
    kept = sum(exact.result.best == outcome.result.best for exact, outcome in pairs)
    lost = sum(regret(exact.result, outcome.result.best) for exact, outcome in pairs) / len(pairs)
    gained = sum(outcome.holdout - exact.holdout for exact, outcome in pairs) / len(pairs)
    ratio = median(outcome.seconds / exact.seconds for exact, outcome in pairs)
    return [name, f"{ratio:.2f}", f"{kept} of {len(pairs)}", f"{lost:.5f}", f"{gained:+.5f}"]


if __name__ == "__main__":
    main()
