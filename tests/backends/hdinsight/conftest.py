"""A cluster to run on: a stand-in for Livy that really runs batches, Azurite for its storage, a real MLflow server."""

from __future__ import annotations

import io
import json
import os
import socket
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient, ContainerClient
from mlflow import MlflowClient
from mlflow.entities import Run

from backends.environment import Environment
from backends.hdinsight.backend import Cluster, HdinsightBackend
from backends.hdinsight.settings import HdinsightSettings
from tests.backends.conftest import Command, environment_at
from tests.services import livy as livy_service
from tests.services import mlflow_server, spark_cluster
from tests.services.azurite import ACCOUNT, Azurite
from tests.services.livy import Livy
from tests.services.startup import require

ROOT = Path(__file__).parents[3]
CONTAINER = "cluster"
NOTHING = Environment("3.11", ())


@pytest.fixture(scope="session")
def container(azurite: Azurite) -> ContainerClient:
    """The cluster's own container."""
    client = BlobServiceClient.from_connection_string(azurite.connection_string).get_container_client(CONTAINER)
    with suppress(ResourceExistsError):  # the tests of all words together have it from here as well
        client.create_container()
    return client


@pytest.fixture(scope="session")
def running_livy(azurite: Azurite, container: ContainerClient) -> Iterator[Livy]:
    """The stand-in; GRIDFOLD_TEST_SPARK_HOME names another Spark than the installed one, HDInsight's 3.3 for example.

    ``pip install --no-deps --target OLD pyspark==3.3.4`` makes one in OLD/pyspark.
    """
    require(spark_cluster.lacking())
    home = os.environ.get("GRIDFOLD_TEST_SPARK_HOME")
    with livy_service.running(azurite.connection_string, Path(home) if home else None) as livy:
        yield livy


@pytest.fixture(scope="session")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an MLflow server, by a name that counts as reachable from elsewhere."""
    with mlflow_server.running(tmp_path_factory.mktemp("server"), for_all=True) as address:
        yield f"http://{socket.gethostname()}:{address.rpartition(':')[2]}"


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment's archive whose Python is this one."""
    text = f'#!/bin/sh\nexec {sys.executable} "$@"\n'.encode()
    path = tmp_path_factory.mktemp("packed") / "environment.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo("bin/python3")
        entry.mode, entry.size = 0o755, len(text)
        archive.addfile(entry, io.BytesIO(text))
    return path


@dataclass
class Place:
    """The cluster, and one test's own folder to start commands from."""

    livy: Livy
    container: ContainerClient
    home: Path
    tracking_uri: str
    settings: dict[str, Any]
    secrets: dict[str, str]
    commands: list[Command] = field(default_factory=list)

    @property
    def store(self) -> MlflowClient:
        return MlflowClient(self.tracking_uri)

    def newest_run(self) -> Run:
        return self.store.search_runs(["0"], max_results=1)[0]

    def blobs(self) -> list[str]:
        """Names of what lies in the cluster's folder."""
        return sorted(name.removeprefix("gridfold/") for name in self.container.list_blob_names())

    @contextmanager
    def open(self, **changes: Any) -> Iterator[Cluster]:
        """Open the cluster in this process, as the backend does."""
        settings = HdinsightSettings(**{**self.settings, **changes})
        with HdinsightBackend().open(settings, None) as compute:
            yield compute

    def mlflow_run(
        self,
        project: Path,
        entry_point: str = "main",
        *parameters: str,
        backend: str = "hdinsight",
        changes: dict[str, Any] | None = None,
        environment: dict[str, str] | None = None,
    ) -> Command:
        """Start ``mlflow run`` with the configuration as `changes` change it."""
        config = self.home / f"config-{len(self.commands)}.json"
        config.write_text(json.dumps(self.settings | (changes or {})))
        where = ["-b", backend, "-c", str(config)] if backend != "local" else ["--env-manager", "local"]
        own = environment_at(self.home, self.tracking_uri) | self.secrets
        words = [str(project), "-e", entry_point, *where]
        command = Command.start(words, parameters, self.home, own | (environment or {}))
        self.commands.append(command)
        return command


@pytest.fixture
def place(
    running_livy: Livy,
    container: ContainerClient,
    azurite: Azurite,
    tracking: str,
    packed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Place]:
    """The cluster with nothing on it."""
    running_livy.reset()
    for name in list(container.list_blob_names()):
        container.delete_blob(name)
    settings = {
        "url": running_livy.url,
        "storage": f"wasbs://{CONTAINER}@{ACCOUNT}.blob.core.windows.net/gridfold",
        "ca_bundle": str(running_livy.certificate),
        "archive": str(packed),
        "driver_memory": "1g",
        "executor_memory": "1g",
        "num_executors": 2,
    }
    secrets = {
        "HDINSIGHT_USER": running_livy.user,
        "HDINSIGHT_PASSWORD": running_livy.password,
        "AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string,
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    place = Place(running_livy, container, tmp_path, tracking, settings, secrets)
    yield place
    for command in place.commands:
        command.end()
    running_livy.reset()
