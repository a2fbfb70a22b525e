"""One word decides where a sweep runs, and nothing about what it finds: the table is the same everywhere."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from backends import project as files
from tests.backends.hdinsight.conftest import CONTAINER, container, packed, running_livy, tracking  # noqa: F401
from tests.services import databricks, spark_cluster
from tests.services.azurite import ACCOUNT, Azurite
from tests.services.databricks import VOLUME, Workspace
from tests.services.livy import Livy
from tests.services.spark_cluster import SparkCluster
from tests.services.startup import require

ROOT = Path(__file__).parents[2]
SPACE = """
estimator: xgboost.XGBClassifier
fixed: {random_state: 0, objective: "multi:softprob", max_bin: 16, learning_rate: 0.3, subsample: 0.8}
grid: {n_estimators: [4, 8], max_depth: [1, 2]}
scoring: neg_log_loss
cv: {folds: 3, shuffle: true, seed: 7}
search: {strategy: grid}
"""
SWEEP = ("scale=0.005", "seed=3", "feature_sets=brand_model,weekday_hour", "space=spaces/one-word.yaml")


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
def project(tmp_path: Path) -> Path:
    """A copy of the project as git has it, with a spec of its own."""
    folder = tmp_path / "project"
    for name in files.find(ROOT).files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((ROOT / name).read_bytes())
    (folder / "spaces" / "one-word.yaml").write_text(SPACE)
    return folder


def table_of(store: MlflowClient, experiment: str, folder: Path) -> dict[str, dict[str, float]]:
    """Return the scores of the sweep's cv_results.csv, by candidate."""
    [run] = [
        run
        for run in store.search_runs([experiment], "tags.`mlflow.project.entryPoint` = 'sweep'")
        if not {"mlflow.parentRunId", "step.name"} & run.data.tags.keys()
    ]
    assert run.info.status == "FINISHED"
    with Path(store.download_artifacts(run.info.run_id, "cv_results.csv", str(folder))).open() as file:
        rows = list(csv.DictReader(file))
    scores = [name for name in rows[0] if "test_score" in name]
    return {row["params"]: {name: float(row[name]) for name in scores} for row in rows}


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
    given = [word for parameter in SWEEP for word in ("-P", parameter)]
    tables = {}
    for way, words in ways.items():
        experiment = store.create_experiment(f"one word: {way}")
        mlflow = [sys.executable, "-m", "mlflow", "run", str(project), "-e", "sweep", "--experiment-id", experiment]
        done = subprocess.run(
            [*mlflow, *words, *given], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, f"{way}: {done.stdout}{done.stderr}"
        tables[way] = table_of(store, experiment, tmp_path)
    assert len(tables["local"]) == 4
    for way, table in tables.items():
        assert table.keys() == tables["local"].keys(), way
        for params, scores in tables["local"].items():
            assert table[params] == pytest.approx(scores, abs=1e-6), way
