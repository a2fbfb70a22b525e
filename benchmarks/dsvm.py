"""``mlflow run -b dsvm`` beside ``mlflow run`` here: the whole command's time, and that of the fits alone.

    python -m benchmarks.dsvm --config backends/dsvm.json [--pairs 3] [--space spaces/quick.yaml] [--tracking URI]

The VM should be this machine (``ssh://me@localhost``), or the comparison is one of machines. Both log to a sqlite store
of their own making, through the tunnel over there, whose server then takes its share of the same cores; or both to the
server that --tracking names. The image and both caches are warmed first; then the two alternate, and medians are
printed. Let nothing else run: the kernel gives a container as much of a busy core as one process outside, so all of
its fits together get what each of ours would.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from mlflow import MlflowClient

ROOT = Path(__file__).parents[1]
MOST_SECONDS_MORE = 10.0


class Cost(NamedTuple):
    """What one command took."""

    seconds: float
    fit_seconds: float


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--space", default="spaces/quick.yaml")
    parser.add_argument("--tracking", metavar="URI")
    options = parser.parse_args()
    here = ["--env-manager", "local"]
    there = ["-b", "dsvm", "-c", str(options.config.resolve())]
    with tempfile.TemporaryDirectory() as folder:
        costs: dict[str, list[Cost]] = {"here": [], "dsvm": []}
        for pair in range(options.pairs + 1):
            for name, words in (("here", here), ("dsvm", there)):
                cost = measured(words, options.space, Path(folder), options.tracking or f"sqlite:///{folder}/mlflow.db")
                print(f"  {'warming' if pair == 0 else pair}: {name} {cost.seconds:.1f} s", file=sys.stderr)
                if pair:
                    costs[name].append(cost)
    report(costs["here"], costs["dsvm"])


def measured(words: list[str], space: str, folder: Path, uri: str) -> Cost:
    """Run one sweep; return its wall time and the sum of its fits' times."""
    environment = os.environ | {"MLFLOW_TRACKING_URI": uri, "SWEEP_CACHE": str(folder / "cache")}
    command = [
        str(Path(sys.executable).with_name("mlflow")),
        "run",
        str(ROOT),
        "-e",
        "sweep",
        *words,
        "-P",
        f"space={space}",
        "-P",
        "reuse=never",
    ]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)
    client = MlflowClient(uri)
    newest = client.search_runs(["0"], "tags.`mlflow.project.entryPoint` = 'sweep'", max_results=1)[0]
    children = client.search_runs(["0"], f"tags.`mlflow.parentRunId` = '{newest.info.run_id}'")
    return Cost(seconds, sum(child.data.metrics["mean_fit_time"] for child in children))


def report(here: list[Cost], there: list[Cost]) -> None:
    """Print the medians, and the medians of the pairs' differences and ratios."""
    more = statistics.median(b.seconds - a.seconds for a, b in zip(here, there, strict=True))
    ratio = statistics.median(b.fit_seconds / a.fit_seconds for a, b in zip(here, there, strict=True))
    print(f"{'':12}{'whole command':>16}{'mean fits':>12}")
    for name, costs in (("here", here), ("dsvm", there)):
        whole, fits = (statistics.median(column) for column in zip(*costs, strict=True))
        print(f"{name:12}{whole:14.1f} s{fits:10.1f} s")
    print(f"{'dsvm':12}{more:+14.1f} s{ratio:10.2f} x   (at most {MOST_SECONDS_MORE:+.0f} s, and 1 x)")


if __name__ == "__main__":
    main()
