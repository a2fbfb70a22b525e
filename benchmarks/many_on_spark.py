"""A thousand fits on four Spark workers, each on a host of its own: efficiency, the driver's cost, bytes, and flatness.

    python -m benchmarks.many_on_spark                # long and short fits, about a quarter of an hour on two cores
    python -m benchmarks.many_on_spark --fits 100     # a tenth

Hosts are network namespaces, so root is needed. Master and driver are on this machine, each Worker and the Spark
Connect server in a namespace. Bytes are the kernel's counts on the bridge between them: of what this machine sends, and
for Connect of what the server sends on to the executors.

The four one-core Workers share this machine's cores with the driver. So efficiency is against the same fits in plain
loops, one on each core, with no engine and nothing sent: their seconds over the contender's. ``--cores`` says how many
cores there are.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from typing import Any

import numpy as np
import psutil
from sklearn.datasets import load_digits

import tuning
from benchmarks.measuring import table
from benchmarks.spark import FOLDS, searched_by_joblib
from tests.services import network as network_service
from tests.services.network import Network, count
from tests.services.spark_cluster import SparkCluster, descendants
from tests.services.spark_connect import ConnectServer
from tuning import Dataset, SweepSpec
from tuning.spec.cv import CvSpec
from tuning.spec.estimators import for_candidate, make_estimator

WORKERS = 4
LENGTHS: dict[str, tuple[str, dict[str, Any]]] = {
    "long": ("sklearn.ensemble.RandomForestClassifier", {"n_estimators": 120}),
    "short": ("sklearn.tree.DecisionTreeClassifier", {"max_depth": 5}),
}
"""Estimators that a fold of digits trains in about 0.2 s and 5 ms."""


def spec_of(length: str, fits: int) -> SweepSpec:
    """Candidates that cost the same, since they differ in their seed."""
    estimator, fixed = LENGTHS[length]
    grid: dict[str, list[Any]] = {"random_state": list(range(max(1, fits // FOLDS)))}
    cv = CvSpec(folds=FOLDS)
    return SweepSpec(estimator=estimator, fixed=fixed, grid=grid, scoring="accuracy", cv=cv)


def rows() -> Dataset:
    X, y = load_digits(return_X_y=True)
    return Dataset(X, y, np.unique(y))


class Meter:
    """Notes when fits end, and what they have cost this process, its Java and the network until then.

    Parameters
    ----------
    fits : int
    devices : sequence of str
        The bridge, and the links of hosts whose sending is of interest.
    workers : sequence of int
        Process ids of the Workers.
    """

    def __init__(self, fits: int, devices: Sequence[str], workers: Sequence[int]) -> None:
        self._fits, self._devices, self._workers = fits, devices, workers
        self._done = 0
        self.marks: list[dict[str, Any]] = []

    def started(self, *_: Any) -> None:
        """Be ready."""

    def scored(self, scores: Sequence[Any]) -> None:
        """Note the fits of an answer."""
        self.note(self._done + len(scores))

    def ended(self, *_: Any) -> None:
        """Have nothing to do."""

    def note(self, done: int) -> None:
        """Note where the first fit and every quarter of the fits have ended."""
        before, self._done = self._done, done
        if before == 0 or 4 * done // self._fits > 4 * before // self._fits:
            self.mark()

    def mark(self) -> None:
        """Note what has been used so far."""
        bridge, *links = self._devices
        sent = [count(bridge, "tx_bytes"), *(count(link, "rx_bytes") for link in links)]
        own = [os.getpid(), *descendants(os.getpid())]
        theirs = [pid for worker in self._workers for pid in (worker, *descendants(worker))]
        mark = {"done": self._done, "at": time.perf_counter(), "sent": sent}
        self.marks.append({**mark, "driver": sum(map(_cpu, own)), "executors": sum(map(_cpu, theirs))})


def _cpu(pid: int) -> float:
    try:
        return float(sum(psutil.Process(pid).cpu_times()[:4]))
    except psutil.Error:
        return 0.0


def ours(spec: SweepSpec, meter: Meter) -> Any:
    """Run the sweep on the session that there is."""
    with tuning.open_engine("spark") as engine:
        return tuning.sweep(spec, rows(), engine, [meter]).split_scores()


def joblib_spark(spec: SweepSpec, meter: Meter) -> Any:
    """Run scikit-learn's GridSearchCV on joblib-spark's backend."""
    import joblib

    joblib.Parallel.print_progress = lambda parallel: meter.note(parallel.n_completed_tasks)
    return searched_by_joblib(spec, rows(), WORKERS)


CONTENDERS: dict[str, tuple[str, Callable[[SweepSpec, Meter], Any]]] = {
    "gridfold": ("classic", ours),
    "gridfold, Connect": ("connect", ours),
    "joblib-spark": ("classic", joblib_spark),
    "joblib-spark, Connect": ("connect", joblib_spark),
}


def contend(name: str, length: str, fits: int, devices: Sequence[str], workers: Sequence[int], master: str) -> None:
    """Run one contender in this process, and print what it took as a line of JSON."""
    kind, run = CONTENDERS[name]
    session = (_classic if kind == "classic" else _connected)(master)
    meter = Meter(fits, devices, workers)
    meter.mark()
    scores = run(spec_of(length, fits), meter)
    meter.mark()
    session.stop()
    print(json.dumps({"marks": meter.marks, "scores": scores.tolist()}))


def _classic(master: str) -> Any:
    """Start a session, and wait for its executors and their Python: the cluster is warm in every contender's case."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(master).config("spark.ui.enabled", "false")
    builder = builder.config("spark.scheduler.minRegisteredResourcesRatio", "1.0")
    session = builder.config("spark.ui.showConsoleProgress", "false").getOrCreate()
    session.sparkContext.parallelize(range(4 * WORKERS), 4 * WORKERS).map(lambda n: n).collect()
    return session


def _connected(master: str) -> Any:
    from pyspark.sql import SparkSession

    session = SparkSession.builder.remote(master).getOrCreate()
    session.range(0, 4 * WORKERS, 1, 4 * WORKERS).mapInArrow(lambda batches: batches, "id long").collect()
    return session


def run(name: str, length: str, fits: int) -> dict[str, Any]:
    """Run one contender in a process of its own on a new cluster."""
    with ExitStack() as stack:
        network = stack.enter_context(Network(WORKERS + 1))
        cluster = stack.enter_context(SparkCluster(WORKERS, network=network))
        server, master, devices = network.hosts[WORKERS], cluster.master, [network.bridge]
        environment = {**os.environ, "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": network.address}
        if CONTENDERS[name][0] == "connect":
            master = stack.enter_context(ConnectServer(cluster.master, host=server)).address
            devices.append(server.link)
            environment["SPARK_REMOTE"] = master
        pids = ",".join(str(worker.process.pid) for worker in cluster.workers)
        where = ["--contender", name, "--master", master, "--devices", ",".join(devices), "--pids", pids]
        command = [sys.executable, "-m", "benchmarks.many_on_spark", "--only", length, "--fits", str(fits), *where]
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def alone(length: str, fits: int, cores: int) -> tuple[float, Any]:
    """Seconds of the same fits in plain loops, one on each core, and their scores."""
    spec, data = spec_of(length, fits), rows()
    folds = [(fold.train, fold.test) for fold in tuning.make_folds(spec.cv, data)]
    cells = [(seed, fold) for seed in range(max(1, fits // FOLDS)) for fold in folds]
    with ProcessPoolExecutor(cores) as pool:
        list(pool.map(_loop, [(length, fits, cells[:2])] * cores))  # which imports what they need
        begun = time.perf_counter()
        parts = list(pool.map(_loop, [(length, fits, cells[core::cores]) for core in range(cores)]))
        seconds = time.perf_counter() - begun
    scores = np.empty(len(cells))
    for core, part in enumerate(parts):
        scores[core::cores] = part
    return seconds, scores.reshape(-1, FOLDS)


def _loop(work: tuple[str, int, list[tuple[int, Any]]]) -> list[float]:
    length, fits, cells = work
    spec, data = spec_of(length, fits), rows()
    made = make_estimator(spec.estimator, spec.fixed)
    scores = []
    for seed, (train, test) in cells:
        model = for_candidate(made, {"random_state": seed}, threads=1).fit(data.X[train], data.y[train])
        scores.append(float((model.predict(data.X[test]) == data.y[test]).mean()))
    return scores


def row(name: str, found: dict[str, Any], floor: float, floor_scores: Any) -> list[str]:
    """What one contender's marks come to."""
    marks, fits = found["marks"], floor_scores.size
    begin, first, end = marks[0], marks[1], marks[-1]
    wall = end["at"] - begin["at"]
    quarters = [mark for mark in marks[1:-1] if mark["done"] > first["done"]]
    early, late = _per_fit([first, quarters[0]]), _per_fit(quarters[-2:])
    cpu = {who: end[who] - begin[who] for who in ("driver", "executors")}
    sent = "; ".join(f"{(b - a) / fits / 1024:,.1f}" for a, b in zip(begin["sent"], end["sent"], strict=True))
    difference = np.abs(np.subtract(found["scores"], floor_scores)).max()
    return [
        name,
        f"{wall:.1f}",
        f"{floor / wall:.2f}",
        f"{first['at'] - begin['at']:.1f}",
        f"{1000 * cpu['driver'] / fits:.1f}",
        f"{1000 * cpu['executors'] / fits:.1f}",
        sent,
        f"{early[0]:.1f} -> {late[0]:.1f}",
        f"{early[1]:.1f} -> {late[1]:.1f}",
        f"{difference:.0e}",
    ]


def _per_fit(marks: Sequence[dict[str, Any]]) -> tuple[float, float]:
    """Milliseconds of a fit between two marks: on the clock, and of the driver's processor time."""
    before, after = marks
    n = max(1, after["done"] - before["done"])
    return 1000 * (after["at"] - before["at"]) / n, 1000 * (after["driver"] - before["driver"]) / n


HEADER = [
    "",
    "wall, s",
    "efficiency",
    "first result, s",
    "driver's CPU, ms a fit",
    "executors' CPU, ms a fit",
    "KiB sent a fit",
    "ms a fit, first -> last quarter",
    "driver's ms, first -> last quarter",
    "scores differ by",
]


def compare(length: str, fits: int, cores: int, names: Sequence[str]) -> None:
    floor, scores = alone(length, fits, cores)
    print(f"\n{length}: {scores.size} fits; alone on {cores} cores {floor:.1f} s", flush=True)
    lines = []
    for name in names:
        lines.append(row(name, run(name, length, fits), floor, scores))
        print(
            "  " + "; ".join(f"{what} {figure}".strip() for what, figure in zip(HEADER, lines[-1], strict=True)),
            flush=True,
        )
    again, _ = alone(length, fits, cores)
    print(
        f"alone once more: {again:.1f} s (other work on the machine shows here)\n\n{table(HEADER, lines)}", flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fits", type=int, default=1000)
    parser.add_argument("--cores", type=int, default=2, help="cores that this machine has")
    parser.add_argument("--only", choices=LENGTHS)
    parser.add_argument("--contenders", default=";".join(CONTENDERS), help="names, with ; between them")
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    for name in ("--devices", "--pids", "--master"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        pids = [int(pid) for pid in options.pids.split(",")]
        devices = options.devices.split(",")
        contend(options.contender, options.only, options.fits, devices, pids, options.master)
        return
    if why := network_service.lacking():
        parser.error(why)
    for length in [options.only] if options.only else LENGTHS:
        compare(length, options.fits, options.cores, options.contenders.split(";"))


if __name__ == "__main__":
    main()
