"""The run that the Jobs service is asked for, by every kind of compute."""

from __future__ import annotations

import pytest

from backends.cluster.compute import Started
from backends.databricks_jobs.settings import DatabricksSettings
from backends.databricks_jobs.submission import require_python, run_of
from backends.environment import Environment
from backends.failures import BackendError
from tests.backends.databricks_jobs.conftest import CLUSTER, ENVIRONMENT
from tests.services.databricks_api import RefusedError, check_submission

ROOT = "/Volumes/main/default/gridfold/me"
STARTED = Started("run1", "same", "gridfold-same-run1", 0.0)


def body(**kind):
    settings = DatabricksSettings.model_validate({"files": "/Volumes/main/default/gridfold", **kind})
    run = run_of(STARTED, ROOT, ENVIRONMENT, settings)
    lists = {"tasks", "environments"} & run.keys()
    return run | {key: [part.as_dict() for part in run[key]] for key in lists}


@pytest.mark.parametrize("kind", [{"new_cluster": CLUSTER}, {"existing_cluster_id": "0923-1"}, {"serverless": {}}])
def test_it_is_what_the_api_takes(kind):
    check_submission(body(**kind))


def test_a_cluster_installs_the_libraries_of_conda_yaml():
    [task] = body(new_cluster=CLUSTER | {"spark_conf": {"spark.task.cpus": "1"}})["tasks"]
    assert task["libraries"] == [{"pypi": {"package": "numpy==2.4.6"}}, {"pypi": {"package": "xgboost==3.2.0"}}]
    assert task["new_cluster"] == {
        **CLUSTER,
        "data_security_mode": "SINGLE_USER",
        "spark_conf": {"spark.task.cpus": "1"},
    }
    assert task["spark_python_task"] == {"python_file": f"{ROOT}/jobs/run1/driver.py", "parameters": [ROOT, "run1"]}


def test_serverless_has_them_in_its_environment():
    run = body(serverless={"environment_version": "3"}, timeout_minutes=2)
    assert run["environments"][0]["spec"] == {
        "environment_version": "3",
        "dependencies": list(ENVIRONMENT.requirements),
    }
    assert "libraries" not in run["tasks"][0]
    assert run["timeout_seconds"] == 120


def test_the_mlflow_run_is_the_token_that_makes_it_one_run():
    run = body(serverless={})
    assert (run["idempotency_token"], run["run_name"]) == ("run1", "gridfold-same-run1")


@pytest.mark.parametrize(
    ("kind", "spark_version", "sentence"),
    [
        (
            {"new_cluster": CLUSTER | {"spark_version": "14.3.x-scala2.12"}},
            "14.3.x-scala2.12",
            "Databricks Runtime 14.3.x-scala2.12 has Python 3.10 at most, and conda.yaml asks for 3.11. "
            "Use spark_version '15.4.x-scala2.12'.",
        ),
        (
            {"new_cluster": CLUSTER | {"spark_version": "12.2.x-scala2.12"}},
            "12.2.x-scala2.12",
            "Databricks Runtime 12.2.x-scala2.12 has Python 3.10 at most, and conda.yaml asks for 3.11. "
            "Use spark_version '15.4.x-scala2.12'.",
        ),
        (
            {"serverless": {"environment_version": "1"}},
            None,
            "serverless environment 1 has Python 3.10 at most, and conda.yaml asks for 3.11. "
            "Set serverless.environment_version to '2'.",
        ),
    ],
)
def test_a_python_that_is_too_old_is_refused_before_it_costs_anything(kind, spark_version, sentence):
    settings = DatabricksSettings.model_validate({"files": "/Volumes/a/b/c", **kind})
    with pytest.raises(BackendError) as caught:
        require_python(Environment("3.11", ()), settings, spark_version)
    assert str(caught.value) == f"backend 'databricks-jobs': {sentence}"


@pytest.mark.parametrize(
    "spark_version", ["15.1.x-scala2.12", "15.4.x-scala2.12", "17.3.x-scala2.13", "custom:gridfold", "99.1.x"]
)
def test_a_python_that_fits_or_is_not_known_passes(spark_version):
    settings = DatabricksSettings.model_validate({"files": "/Volumes/a/b/c", "new_cluster": CLUSTER})
    require_python(Environment("3.11", ()), settings, spark_version)


@pytest.mark.parametrize(
    "change",
    [
        {"tasks": [{"task_key": "x"}]},
        {"run_nmae": "x"},
        {"timeout_seconds": "60"},
        {"idempotency_token": "x" * 65},
        {"tasks": [{"task_key": "x", "new_cluster": {**CLUSTER, "num_workers": "2"}}]},
        {"tasks": [{"task_key": "x", "existing_cluster_id": "1", "spark_python_task": {"parameters": []}}]},
    ],
)
def test_the_stand_in_does_refuse(change):
    with pytest.raises(RefusedError):
        check_submission(body(serverless={}) | change)
