"""A sweep on a standalone Spark cluster: two Workers against one, and the bytes sent, beside joblib-spark.

    python -m benchmarks.spark                 # about a quarter of an hour on two cores
    python -m benchmarks.spark --divide 20     # a look in two minutes; efficiency then says nothing

Each cluster has a Master and one-core Workers on this machine. Bytes are what Spark's own logs say: the driver's of the
size of every task, the executors' of every broadcast block that they fetched (compressed). They do not depend on the
number of rounds, so that table is made with few.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

import tuning
from benchmarks.measuring import median, table
from benchmarks.sweep import make_features
from entrypoints.data.rows import training_and_holdout
from features import FeatureMatrix
from tests.services.spark_cluster import SparkCluster
from tuning import Dataset, SweepSpec

FOLDS = 5
_LOG = """
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
appender.file.type = File
appender.file.name = file
appender.file.fileName = {path}
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %m%n
"""
_TASK = re.compile(r"Starting task .*?([\d.]+) bytes\)")
_BLOCK = re.compile(r"Block broadcast_\d+_piece\d+ stored as bytes .*?size ([\d.]+) (B|KiB|MiB|GiB)")
_UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def ours(session: Any, spec: SweepSpec, data: Dataset) -> list[list[float]]:
    """Run the sweep on the session's executors."""
    with tuning.open_engine("spark") as engine:
        scores: list[list[float]] = tuning.sweep(spec, data, engine).split_scores().tolist()
    return scores


def joblib_spark(session: Any, spec: SweepSpec, data: Dataset) -> list[list[float]]:
    """Run scikit-learn's GridSearchCV on joblib-spark's backend."""
    scores: list[list[float]] = searched_by_joblib(spec, data, session.sparkContext.defaultParallelism).tolist()
    return scores


def searched_by_joblib(spec: SweepSpec, data: Dataset, n_jobs: int) -> Any:
    """Return the split scores of GridSearchCV, whose fits joblib-spark has run `n_jobs` at a time."""
    from joblib import parallel_config
    from joblibspark import register_spark
    from sklearn.model_selection import GridSearchCV

    from tuning.spec.estimators import for_candidate, make_estimator

    register_spark()
    estimator = for_candidate(make_estimator(spec.estimator, spec.fixed), {}, threads=1)
    folds = [(fold.train, fold.test) for fold in tuning.make_folds(spec.cv, data)]
    search = GridSearchCV(estimator, spec.grid, scoring=spec.refit_scorer, cv=folds, refit=False)
    with parallel_config("spark", n_jobs=n_jobs):
        found = search.fit(data.X, data.y).cv_results_
    return np.array([found[f"split{k}_test_score"] for k in range(FOLDS)]).T


def local(session: Any, spec: SweepSpec, data: Dataset) -> list[list[float]]:
    """Run the sweep on this machine's cores, without Spark."""
    with tuning.open_engine("local", 2) as engine:
        scores: list[list[float]] = tuning.sweep(spec, data, engine).split_scores().tolist()
    return scores


CONTENDERS: dict[str, Callable[[Any, SweepSpec, Dataset], list[list[float]]]] = {
    "spark": ours,
    "joblib-spark": joblib_spark,
    "local": local,
}


def contend(name: str, n_workers: int, features: Path, space: Path) -> None:
    """Run one contender in this process and print what it took, as a line of JSON."""
    train, _ = training_and_holdout(FeatureMatrix.load(features))
    spec = SweepSpec.load(space)
    if name == "local":
        print(json.dumps(_timed(lambda: CONTENDERS[name](None, spec, train))))
        return
    with SparkCluster(n_workers) as cluster, tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "driver.log"
        session = _session(cluster.master, log, n_workers)
        result = _timed(lambda: CONTENDERS[name](session, spec, train))
        session.stop()
        print(json.dumps({**result, **_sent(log.read_text(), cluster.executor_logs())}))


def _timed(work: Callable[[], Any]) -> dict[str, Any]:
    begun = time.perf_counter()
    answer = work()
    return {"seconds": time.perf_counter() - begun, "answer": answer}


def _session(master: str, log: Path, n_workers: int) -> Any:
    """Start a session, and wait for its executors: the cluster is warm in every contender's case."""
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    settings = log.with_name("log4j2.properties")
    settings.write_text(_LOG.format(path=log))
    session = (
        SparkSession.builder.master(master)
        .config("spark.driver.extraJavaOptions", f"-Dlog4j.configurationFile={settings}")
        .config("spark.scheduler.minRegisteredResourcesRatio", "1.0")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .getOrCreate()
    )
    context = session.sparkContext
    context.parallelize(range(2 * n_workers), 2 * n_workers).map(lambda n: n).collect()
    return session


def _sent(driver_log: str, executor_logs: str) -> dict[str, float]:
    """Count tasks, their bytes, and the bytes of the broadcast blocks that executors fetched."""
    tasks = [float(size) for size in _TASK.findall(driver_log)]
    fetched = sum(float(size) * _UNITS[unit] for size, unit in _BLOCK.findall(executor_logs))
    return {"tasks": len(tasks), "task_bytes": sum(tasks), "fetched": fetched}


def run(name: str, n_workers: int, features: Path, space: Path) -> dict[str, Any]:
    """Run one contender in a process of its own, since a process has one Java."""
    arguments = ["--contender", name, "--workers", str(n_workers), "--features", str(features), "--space", str(space)]
    done = subprocess.run([sys.executable, "-m", "benchmarks.spark", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"{name}, {n_workers} Workers: {result['seconds']:.1f} s", flush=True)
    return result


def write_space(path: Path, divide: int) -> Path:
    """Write a grid of 20 fits, of which 10 are trained, each for its own rounds over `divide`."""
    grid = {"n_estimators": [max(1, n // divide) for n in (300, 400)], "max_depth": [3, 4]}
    fixed = {"random_state": 0, "objective": "multi:softprob", "learning_rate": 0.1}
    spec = {"estimator": "xgboost.XGBClassifier", "fixed": fixed, "grid": grid, "scoring": "neg_log_loss"}
    path.write_text(yaml.safe_dump({**spec, "cv": {"folds": FOLDS}}))
    return path


def scaling(features: Path, space: Path, repeat: int) -> str:
    """Two Workers against one, and against two threads without Spark, in turns."""
    turns = [[run(*who, features, space) for who in (("spark", 1), ("spark", 2), ("local", 2))] for _ in range(repeat)]
    one, two, threads = ([turn[place]["seconds"] for turn in turns] for place in range(3))
    efficiency = median(a / (2 * b) for a, b in zip(one, two, strict=True))
    difference = max(np.abs(np.subtract(turn[1]["answer"], turn[2]["answer"])).max() for turn in turns)
    rows = [
        ["spark, 1 Worker", f"{median(one):.1f}", ""],
        ["spark, 2 Workers", f"{median(two):.1f}", f"{efficiency:.2f} efficient against 1 Worker"],
        ["local, 2 threads", f"{median(threads):.1f}", f"scores differ by {difference:.1e} at most"],
    ]
    return table(["", "seconds", ""], rows)


def sending(features: Path, space: Path) -> str:
    """Bytes sent by ours and by joblib-spark for the same grid."""
    train, _ = training_and_holdout(FeatureMatrix.load(features))
    copy = sum(part.nbytes for part in (train.X.data, train.X.indices, train.X.indptr))
    rows = []
    for name in ("spark", "joblib-spark"):
        sent = run(name, 2, features, space)
        total = sent["task_bytes"] + sent["fetched"]
        rows.append([name, f"{sent['tasks']}", _kib(sent["task_bytes"] / sent["tasks"]), _kib(total / sent["tasks"])])
        rows[-1] += [_kib(total), f"{total / (2 * copy):.2f}"]
    header = ["", "tasks", "KiB in a task", "KiB sent per task", "KiB sent in all", "/ one copy per Worker"]
    return table(header, rows)


def _kib(n: float) -> str:
    return f"{n / 1024:,.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--divide", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--features", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--space", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        contend(options.contender, options.workers, options.features, options.space)
        return
    with tempfile.TemporaryDirectory() as folder:
        features = make_features(options.scale, Path(folder))
        short, full = (write_space(Path(folder) / f"space{n}.yaml", n) for n in (50, options.divide))
        sent = sending(features, short)
        print(f"\n{scaling(features, full, options.repeat)}\n\n{sent}")


if __name__ == "__main__":
    main()
