"""A workspace to run in: a stand-in that checks requests and really runs jobs, and a real MLflow server."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from backends.databricks_jobs.compute import WorkspaceCompute
from backends.databricks_jobs.settings import DatabricksSettings
from backends.databricks_jobs.workspace import Workspace as SignedIn
from backends.environment import Environment
from tests.backends.conftest import Command, environment_at
from tests.services import databricks, mlflow_server, spark_cluster
from tests.services.databricks import VOLUME, Workspace
from tests.services.startup import require

ROOT = Path(__file__).parents[3]
ENVIRONMENT = Environment("3.11", ("numpy==2.4.6", "xgboost==3.2.0"))
CLUSTER = {"spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_D8ds_v5", "num_workers": 2}
_STANDING_IN = ("DATABRICKS_", "MLFLOW_", "ARM_")


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with nothing in it, to which this process's environment signs in."""
    for name in list(os.environ):
        if name.startswith(_STANDING_IN):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "no-profiles"))
    with databricks.running() as running:
        monkeypatch.setenv("DATABRICKS_TOKEN", running.token)
        yield running


@pytest.fixture
def settings(workspace: Workspace) -> Callable[..., DatabricksSettings]:
    """Make a configuration: serverless compute, whose jobs begin at once, unless it says something else."""

    def make(**changes: Any) -> DatabricksSettings:
        kind = {} if {"new_cluster", "existing_cluster_id"} & changes.keys() else {"serverless": {}}
        given = {"host": workspace.host, "files": VOLUME, "reconnect_minutes": 0.2, **kind, **changes}
        return DatabricksSettings.model_validate(given)

    return make


@pytest.fixture
def compute(settings: Callable[..., DatabricksSettings]) -> Callable[..., WorkspaceCompute]:
    """Open the workspace in this process, as the backend does."""

    def make(**changes: Any) -> WorkspaceCompute:
        given = settings(**changes)
        return WorkspaceCompute(SignedIn.sign_in(given), given)

    return make


@pytest.fixture(scope="session")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an MLflow server."""
    with mlflow_server.running(tmp_path_factory.mktemp("server")) as address:
        yield address


@dataclass
class Place:
    """The workspace, and one test's own folder to start commands from."""

    workspace: Workspace
    home: Path
    tracking_uri: str
    settings: dict[str, Any]
    commands: list[Command] = field(default_factory=list)

    @property
    def store(self) -> MlflowClient:
        return MlflowClient(self.tracking_uri)

    def newest_run(self) -> Run:
        return self.store.search_runs(["0"], max_results=1)[0]

    def files(self) -> list[str]:
        """Names of what lies in the volume."""
        root = self.workspace.files.real(VOLUME)
        return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())

    def mlflow_run(
        self,
        project: Path,
        entry_point: str = "main",
        *parameters: str,
        backend: str = "databricks-jobs",
        changes: dict[str, Any] | None = None,
        environment: dict[str, str] | None = None,
    ) -> Command:
        """Start ``mlflow run`` with the configuration as `changes` change it; None takes a key out."""
        config = self.home / f"config-{len(self.commands)}.json"
        given = self.settings | (changes or {})
        config.write_text(json.dumps({key: value for key, value in given.items() if value is not None}))
        where = ["-b", backend, "-c", str(config)] if backend != "local" else ["--env-manager", "local"]
        own = environment_at(self.home, self.tracking_uri, _STANDING_IN) | {
            "DATABRICKS_TOKEN": self.workspace.token,
            "DATABRICKS_CONFIG_FILE": str(self.home / "no-profiles"),
        }
        words = [str(project), "-e", entry_point, *where]
        command = Command.start(words, parameters, self.home, own | (environment or {}))
        self.commands.append(command)
        return command


@pytest.fixture
def place(workspace: Workspace, tracking: str, tmp_path: Path) -> Iterator[Place]:
    """The workspace, and a new cluster in it for every job."""
    require(spark_cluster.lacking())
    place = Place(workspace, tmp_path, tracking, {"host": workspace.host, "files": VOLUME, "new_cluster": CLUSTER})
    yield place
    for command in place.commands:
        command.end()
