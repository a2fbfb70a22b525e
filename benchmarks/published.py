"""The published single-machine sweep at full size: every device, every feature set, every round, its own parameters.

    python -m benchmarks.published

Prints our time and scores beside those of 2017, and what differs. The real data may not be passed on, so scores of the
synthetic data stand beside those of the real: they are near, and prove nothing more.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.measuring import Cost, run_module, table
from benchmarks.sweep import make_features
from tuning import SweepSpec

SPEC = Path(__file__).parents[1] / "spaces" / "xgboost-small.yaml"
MINUTES_2017, CORES_2017 = 98, 8
SCORES_2017 = {(3, 300): -2.29096, (3, 400): -2.28712, (4, 300): -2.28706, (4, 400): -2.28530}
DIFFERS = """What differs from 2017:
- The data are synthetic, made to the sizes and the signal of the real.
- The folds are shuffled (seed 0): neighbouring rows of the real table share their group. Those of 2017 were not.
- XGBoost of today trains by histograms, that of 2017 by sorting every column; features are the share of events that the
  text of 2017 describes, where its code wrote 1.
- Candidates that differ in n_estimators are one booster here: 10 trainings stand for the 20 fits.
- 98 minutes are those of the whole program of 2017, features and refit included."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args()
    spec = SweepSpec.load(SPEC)
    with tempfile.TemporaryDirectory() as folder:
        features = make_features(options.scale, Path(folder), holdout=0.0)
        arguments = ["gridfold", str(features), str(SPEC), str(options.cores)]
        cost = run_module("benchmarks.contenders", arguments)
    if not isinstance(cost, Cost):
        raise SystemExit(cost)
    print(
        f"sweep: {cost.seconds / 60:.1f} minutes on {options.cores} cores ({cost.cpu_seconds / 60:.1f} of processor "
        f"time), {cost.peak_mib:,.0f} MiB at the peak; 2017: {MINUTES_2017} minutes on {CORES_2017} cores"
    )
    print(table(["max_depth", "n_estimators", "here, synthetic", "2017, real"], _rows(spec, cost.answer)))
    print(DIFFERS)


def _rows(spec: SweepSpec, splits: list[list[float]]) -> list[list[str]]:
    rows = []
    for candidate, scores in zip(spec.space.all(), splits, strict=True):
        setting = (candidate.params["max_depth"], candidate.params["n_estimators"])
        mean = sum(scores) / len(scores)
        rows.append([str(setting[0]), str(setting[1]), f"{mean:.5f}", f"{SCORES_2017[setting]:.5f}"])
    return rows


if __name__ == "__main__":
    main()
