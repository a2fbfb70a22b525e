"""One word decides where a sweep runs, and nothing about what it finds: the table is the same everywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.backends.hdinsight.conftest import CONTAINER, container, packed, running_livy, tracking  # noqa: F401
from tests.backends.remote_sweeps import SWEEP, assert_same, sweep_runs, table
from tests.services import databricks, spark_cluster
from tests.services.azurite import ACCOUNT, Azurite
from tests.services.databricks import VOLUME, Workspace
from tests.services.livy import Livy
from tests.services.spark_cluster import SparkCluster
from tests.services.startup import require


@pytest.fixture
def cluster() -> Iterator[SparkCluster]:
    """A Spark cluster of two one-core Workers."""
    require(spark_cluster.lacking())
    with SparkCluster(n_workers=2, memory="1g") as running:
        yield running


@pytest.fixture
def workspace(cluster: SparkCluster) -> Iterator[Workspace]:
    """A Databricks workspace whose clusters are that one."""
    with databricks.running(cluster.master) as running:
        yield running


@pytest.fixture
def ways(
    tmp_path: Path,
    cluster: SparkCluster,
    workspace: Workspace,
    running_livy: Livy,  # noqa: F811
    packed: Path,  # noqa: F811
) -> dict[str, list[str]]:
    """The words that say where, by what they mean."""
    hdinsight = {
        "url": running_livy.url,
        "storage": f"wasbs://{CONTAINER}@{ACCOUNT}.blob.core.windows.net/gridfold",
        "ca_bundle": str(running_livy.certificate),
        "archive": str(packed),
        "driver_memory": "1g",
        "executor_memory": "1g",
    }
    dedicated = {"spark_version": "15.4.x-scala2.12", "node_type_id": "Standard_D8ds_v5", "num_workers": 2}
    jobs = {"host": workspace.host, "files": VOLUME, "new_cluster": dedicated}
    for name, settings in (("hdinsight", hdinsight), ("databricks", jobs)):
        (tmp_path / f"{name}.json").write_text(json.dumps(settings))
    return {
        "local": ["--env-manager", "local", "-P", "engine=local"],
        "spark": ["--env-manager", "local", "-P", "engine=spark", "-P", f"master={cluster.master}"],
        "hdinsight": ["-b", "hdinsight", "-c", str(tmp_path / "hdinsight.json")],
        "databricks-jobs": ["-b", "databricks-jobs", "-c", str(tmp_path / "databricks.json")],
    }


@pytest.fixture
def environment(
    tmp_path: Path,
    workspace: Workspace,
    running_livy: Livy,  # noqa: F811
    azurite: Azurite,
    tracking: str,  # noqa: F811
) -> dict[str, str]:
    """What signs a person in everywhere."""
    strange = ("MLFLOW_", "DATABRICKS_", "SPARK_", "PYSPARK_")
    return {name: value for name, value in os.environ.items() if not name.startswith(strange)} | {
        "MLFLOW_TRACKING_URI": tracking,
        "SWEEP_CACHE": str(tmp_path / "swept"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "DATABRICKS_TOKEN": workspace.token,
        "DATABRICKS_CONFIG_FILE": str(tmp_path / "no-profiles"),
        "HDINSIGHT_USER": running_livy.user,
        "HDINSIGHT_PASSWORD": running_livy.password,
        "AZURE_STORAGE_CONNECTION_STRING": azurite.connection_string,
    }


def test_the_table_is_the_same_wherever_the_sweep_runs(
    tmp_path: Path, project: Path, ways: dict[str, list[str]], environment: dict[str, str]
) -> None:
    store = MlflowClient(environment["MLFLOW_TRACKING_URI"])
    given = [word for parameter in (*SWEEP[1:], "seed=3") for word in ("-P", parameter)]
    tables = {}
    for way, words in ways.items():
        experiment = store.create_experiment(f"one word: {way}")
        mlflow = [sys.executable, "-m", "mlflow", "run", str(project), "-e", "sweep", "--experiment-id", experiment]
        done = subprocess.run(
            [*mlflow, *words, *given], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, f"{way}: {done.stdout}{done.stderr}"
        [run] = sweep_runs(store, experiment)
        assert run.info.status == "FINISHED"
        tables[way] = table(store, run, tmp_path)
    assert len(tables["local"]) == 4
    for found in tables.values():
        assert_same(found, tables["local"])
