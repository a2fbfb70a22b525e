"""What a candidate's child run costs on sqlite, beside the same record made with MLflow's fluent API.

    python benchmarks/tracking_cost.py [--candidates 1000] [--folds 5] [--peers 100]

Ours is the recorder itself, fed by a loop that does nothing else, its time taken up to the last rank. The peers are
what a person would write: a nested ``start_run`` per candidate with one call per value, and the same with
``log_params`` and ``log_metrics``. All write the same 10 params and 10 metrics, each into a fresh sqlite file,
by turns.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import product
from typing import NamedTuple

import mlflow
import numpy as np

from tracking.recorder import SweepRecorder
from tracking.runs import EntryRun
from tuning.candidates import Candidate
from tuning.results.fold_score import FoldScore
from tuning.results.sweep_result import SweepResult
from tuning.spec.sweep_spec import SweepSpec

FIXED = {"objective": "multi:softprob", "learning_rate": 0.1, "random_state": 0, "subsample": 0.9, "max_bin": 64}
VARIED = ("max_depth", "n_estimators", "min_child_weight", "gamma", "reg_lambda")
SPEC = SweepSpec.model_validate(
    {"estimator": "xgboost.XGBClassifier", "fixed": FIXED, "grid": {"max_depth": [1]}, "scoring": "neg_log_loss"}
)
HUNDRED = 100


class Costs(NamedTuple):
    """Milliseconds per candidate: in all, of the sweep's own loop, of a core, of the first hundred and of the last."""

    whole: float
    held: float
    core: float
    first: float
    last: float


def made_up(n_candidates: int, n_folds: int) -> SweepResult:
    """Return a sweep's outcome without the sweep."""
    draw = np.random.default_rng(0)
    settings = list(product(range(1, 6), repeat=len(VARIED)))[:n_candidates]
    candidates = [Candidate(dict(zip(VARIED, values, strict=True))) for values in settings]
    scores = {
        c: [FoldScore(c, k, {"neg_log_loss": float(draw.normal(-2.29, 0.04))}, 1.0, 0.1) for k in range(n_folds)]
        for c in candidates
    }
    return SweepResult(candidates, scores, n_folds, ["neg_log_loss"], "neg_log_loss", n_units=0, seconds=0.0)


def ours(result: SweepResult, n_folds: int) -> Costs:
    """Cost with the recorder, fed one fold at a time by a loop that does nothing else."""
    with EntryRun.begin("benchmark") as run, SweepRecorder(run) as recorder:
        recorder.started(SPEC, len(result.candidates), n_folds)
        began, used = time.perf_counter(), time.process_time()
        for candidate in result.candidates:
            for score in result.fold_scores[candidate]:
                recorder.scored([score])
        held = time.perf_counter() - began
        recorder.ended(result)
        whole, core = time.perf_counter() - began, time.process_time() - used
    return costs(whole, held, core, len(result.candidates))


def fluent(result: SweepResult, batched: bool) -> Costs:
    """Cost with MLflow's fluent API, which holds the loop for as long as it takes."""
    began, used = time.perf_counter(), time.process_time()
    with mlflow.start_run():
        for candidate in result.candidates:
            log_fluently(candidate, result, batched)
    whole, core = time.perf_counter() - began, time.process_time() - used
    return costs(whole, whole, core, len(result.candidates))


def log_fluently(candidate: Candidate, result: SweepResult, batched: bool) -> None:
    splits = [score.scores["neg_log_loss"] for score in result.fold_scores[candidate]]
    params = {**FIXED, **candidate.params}
    metrics = {f"split{k}_test_score": value for k, value in enumerate(splits)} | {
        "mean_test_score": float(np.mean(splits)),
        "std_test_score": float(np.std(splits)),
        "mean_fit_time": 1.0,
        "mean_score_time": 0.1,
        "rank_test_score": 1,
    }
    with mlflow.start_run(nested=True, run_name=candidate.name):
        if batched:
            mlflow.log_params(params)
            mlflow.log_metrics(metrics)
            return
        for name, value in params.items():
            mlflow.log_param(name, value)
        for name, value in metrics.items():
            mlflow.log_metric(name, value)


def costs(whole: float, held: float, core: float, n: int) -> Costs:
    """Read the first and the last hundred's cost off the children's end times, as the store has them."""
    client = mlflow.MlflowClient()
    runs = mlflow.search_runs(["0"], "tags.`mlflow.parentRunId` != ''", max_results=n, output_format="list")
    ends = sorted(run.info.end_time for run in runs)
    if len(ends) != n or any(client.get_run(run.info.run_id).info.status != "FINISHED" for run in runs[:3]):
        raise SystemExit(f"expected {n} finished children, found {len(ends)}")
    span = min(HUNDRED, n) - 1
    first, last = (ends[span] - ends[0]) / span, (ends[-1] - ends[-1 - span]) / span
    return Costs(1000 * whole / n, 1000 * held / n, 1000 * core / n, first, last)


def in_a_fresh_store(record: Callable[[], Costs]) -> Costs:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder}/mlflow.db"
        os.environ.pop("MLFLOW_RUN_ID", None)
        mlflow.set_tracking_uri(os.environ["MLFLOW_TRACKING_URI"])
        mlflow.MlflowClient().search_experiments()  # makes the tables before the clock starts
        return record()


def line(name: str, runs: list[Costs], n: int) -> str:
    medians = Costs(*(statistics.median(column) for column in zip(*runs, strict=True)))
    return f"{name:<36}{n:>6,}" + "".join(f"{value:>11.2f}" for value in medians)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=1000)
    parser.add_argument("--peers", type=int, default=100, help="candidates for the peers, which are slow")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    many, few = made_up(asked.candidates, asked.folds), made_up(asked.peers, asked.folds)
    kinds: dict[str, tuple[SweepResult, Callable[[], Costs]]] = {
        "recorder": (many, lambda: ours(many, asked.folds)),
        "fluent, log_params and log_metrics": (few, lambda: fluent(few, batched=True)),
        "fluent, one call per value": (few, lambda: fluent(few, batched=False)),
    }
    taken: dict[str, list[Costs]] = {name: [] for name in kinds}
    for _ in range(asked.repeats):
        for name, (_, record) in kinds.items():
            taken[name].append(in_a_fresh_store(record))
    columns = ("whole", "loop held", "core", "first 100", "last 100")
    print(f"{'ms per candidate':<36}{'runs':>6}" + "".join(f"{column:>11}" for column in columns))
    for name, (result, _) in kinds.items():
        print(line(name, taken[name], len(result.candidates)))
    mine = statistics.median(cost.whole for cost in taken["recorder"])
    for name in list(kinds)[1:]:
        print(f"{name}: {statistics.median(cost.whole for cost in taken[name]) / mine:.1f} times the recorder's cost")


if __name__ == "__main__":
    main()
