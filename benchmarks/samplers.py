"""TPE by Optuna and by hyperopt beside random search, at equal budgets: how good the best candidate is by then.

    python -m benchmarks.samplers --seeds 10

Every search tries the same number of candidates over the same ranges, on the same folds of scikit-learn's digits, and
the table has the medians over seeds of the best mean score after so many. Seeds are paired: a search is held against
random search of the same seed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

import tuning
from benchmarks.measuring import median, table
from tuning import Dataset, SweepSpec

SPEC: Mapping[str, Any] = {
    "estimator": "xgboost.XGBClassifier",
    "fixed": {"random_state": 0, "objective": "multi:softprob", "n_estimators": 20},
    "distributions": {
        "max_depth": {"integers": [1, 6]},
        "learning_rate": {"loguniform": [0.01, 0.5]},
        "subsample": {"uniform": [0.3, 1.0]},
        "colsample_bytree": {"uniform": [0.1, 1.0]},
        "min_child_weight": {"loguniform": [0.5, 50]},
    },
    "scoring": "neg_log_loss",
    "cv": {"folds": 3, "shuffle": True, "seed": 0},
}
SEARCHES: Mapping[str, Mapping[str, Any]] = {
    "random": {"strategy": "random"},
    "tpe by optuna": {"strategy": "tpe", "sampler": "optuna"},
    "tpe by hyperopt": {"strategy": "tpe", "sampler": "hyperopt"},
}
LOOKS = (10, 20, 40)


def best_after(search: Mapping[str, Any], seed: int, train: Dataset, cores: int) -> list[float]:
    """Return the best mean score after so many candidates, for each of `LOOKS`."""
    spec = SweepSpec.model_validate({**SPEC, "search": {**search, "candidates": LOOKS[-1], "seed": 1000 * seed}})
    with tuning.open_engine("local", cores) as engine:
        means = tuning.sweep(spec, train, engine).means()
    return [float(np.nanmax(means[:look])) for look in LOOKS]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args(arguments)
    X, y = load_digits(return_X_y=True)
    train = Dataset(X, y, classes=np.unique(y))
    print(f"{train.n_rows:,} rows, {len(SPEC['distributions'])} parameters, {options.seeds} seeds", flush=True)
    found: dict[str, list[list[float]]] = {name: [] for name in SEARCHES}
    for seed in range(options.seeds):
        for name, search in SEARCHES.items():
            begun = time.monotonic()
            found[name].append(best_after(search, seed, train, options.cores))
            print(f"seed {seed}: {name}: {found[name][-1][-1]:.5f} ({time.monotonic() - begun:.0f} s)", flush=True)
    print(table(["", *(f"best of {look}" for look in LOOKS), f"better than random at {LOOKS[-1]}"], _rows(found)))


def _rows(found: Mapping[str, list[list[float]]]) -> list[list[str]]:
    rows = []
    for name, scores in found.items():
        middle = [f"{median(each[place] for each in scores):.5f}" for place in range(len(LOOKS))]
        wins = sum(each[-1] > other[-1] for each, other in zip(scores, found["random"], strict=True))
        rows.append([name, *middle, "" if name == "random" else f"{wins} of {len(scores)}"])
    return rows


if __name__ == "__main__":
    main()
