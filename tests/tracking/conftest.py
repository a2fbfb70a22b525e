"""Stores to record in: a sqlite file per test, and a server for all of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from tests.tracking.outcomes import SPEC, outcome
from tracking import store
from tuning.results.sweep_result import SweepResult

VARIABLES = ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_TRACKING_URI")


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store's tables, made once: making them takes longer than most tests."""
    file = tmp_path_factory.mktemp("store") / "mlflow.db"
    MlflowClient(f"sqlite:///{file}").search_experiments()
    return file


@pytest.fixture
def client(empty_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    """A client of a sqlite store of the test's own, which the environment names."""
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    made = store.connect()
    experiment = made.create_experiment("tests", artifact_location=(tmp_path / "artifacts").as_uri())
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", experiment)
    return made


@pytest.fixture
def server_client(server: str, monkeypatch: pytest.MonkeyPatch) -> MlflowClient:
    """A client of the server, which the environment names."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    return store.connect()


@pytest.fixture
def four() -> SweepResult:
    """Two folds of the published grid, easy to add up by hand."""
    return outcome(
        SPEC, {(300, 3): [-2.4, -2.2], (400, 3): [-2.2, -2.0], (300, 4): [-2.3, -2.3], (400, 4): [-2.5, -2.1]}
    )


@pytest.fixture
def children(client: MlflowClient) -> Callable[[str], dict[str, Run]]:
    """A function that gives the children of a run by name."""

    def read(parent: str) -> dict[str, Run]:
        experiment = client.get_run(parent).info.experiment_id
        runs = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{parent}'", max_results=5000)
        return {run.info.run_name: run for run in runs}

    return read
