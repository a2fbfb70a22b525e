"""What the tests of every word after ``-b`` share: a small sweep, what must come of it, and ways to wait for a job."""

from __future__ import annotations

import csv
import io
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from backends import project as files
from backends.job import Ending, RemoteJob

ROOT = Path(__file__).parents[2]
SPACE = """
estimator: xgboost.XGBClassifier
fixed: {random_state: 0, objective: "multi:softprob", max_bin: 16, learning_rate: 0.3, subsample: 0.8}
grid: {n_estimators: [5, 10], max_depth: [1, 2]}
scoring: neg_log_loss
cv: {folds: 3, shuffle: true, seed: 0}
search: {strategy: grid}
"""
SLOW = SPACE.replace("[5, 10]", "[200, 400]").replace("shuffle: true", "repeats: 50")
"""The first score is there soon, and no candidate has all of its 150 folds before long."""
FEATURES = ("scale=0.005", "feature_sets=brand_model,weekday_hour")
FITTED = ("sweep", "reuse=never", *FEATURES)  # there, not known from here
SWEEP = (*FITTED, "space=spaces/for-test.yaml")
SLOW_SWEEP = (*FITTED, "space=spaces/slow.yaml")


def copy_project(folder: Path) -> Path:
    """Copy the project as git has it into `folder`, with specs of its own."""
    for name in files.find(ROOT).files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((ROOT / name).read_bytes())
    (folder / "spaces" / "for-test.yaml").write_text(SPACE)
    (folder / "spaces" / "slow.yaml").write_text(SLOW)
    return folder


def sweep_runs(store: MlflowClient, experiment: str = "0") -> list[Run]:
    """Return the runs of sweeps that are nobody's children, the newest first."""
    runs = store.search_runs([experiment], "tags.`mlflow.project.entryPoint` = 'sweep'")
    return [run for run in runs if not {"mlflow.parentRunId", "step.name"} & run.data.tags.keys()]


def candidates_of(store: MlflowClient, run: Run) -> list[Run]:
    """Return the candidates' runs of a sweep."""
    children = store.search_runs([run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")
    return [child for child in children if "candidate.key" in child.data.tags]


def table(store: MlflowClient, run: Run, folder: Path) -> dict[str, dict[str, float]]:
    """Return the scores of the sweep's cv_results.csv, by candidate."""
    with Path(store.download_artifacts(run.info.run_id, "cv_results.csv", str(folder))).open() as file:
        rows = list(csv.DictReader(file))
    scores = [name for name in rows[0] if "test_score" in name]
    return {row["params"]: {name: float(row[name]) for name in scores} for row in rows}


def winner_lines(lines: Sequence[str]) -> list[str]:
    """Return those of `lines` that say who has won, and how well."""
    return [line for line in lines if line.startswith(("best", "score", "hold-out"))]


def assert_same(found: dict[str, dict[str, float]], expected: dict[str, dict[str, float]]) -> None:
    """Hold two tables to each other, within 1e-6."""
    assert found.keys() == expected.keys()
    for params, scores in expected.items():
        assert found[params] == pytest.approx(scores, abs=1e-6), params


def wait_for(look: Callable[[], object]) -> None:
    """Look until there is something, for a minute."""
    limit = time.monotonic() + 60
    while not look():
        assert time.monotonic() < limit
        time.sleep(0.05)


def follow_in_background(job: RemoteJob) -> tuple[io.BytesIO, Callable[[], Ending]]:
    """Follow a job on a thread; return what it writes, and a function that waits for the ending."""
    written, endings = io.BytesIO(), []
    thread = threading.Thread(target=lambda: endings.append(job.follow(written.write)), daemon=True)
    thread.start()

    def ending() -> Ending:
        thread.join(60)
        return endings[0]

    return written, ending
