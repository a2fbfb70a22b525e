"""A tracking server that the VM can reach needs no tunnel; one that only this machine can reach goes through it."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from mlflow import MlflowClient

from tests.backends.dsvm.test_runs import LOG_ONE_METRIC
from tests.services import mlflow_server


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a real MLflow server that listens on every address of this machine."""
    with mlflow_server.running(tmp_path_factory.mktemp("server"), for_all=True) as address:
        yield int(address.rpartition(":")[2])


@pytest.mark.parametrize(("host", "tunnel"), [(socket.gethostname(), False), ("127.0.0.1", True)])
def test_a_job_logs_to_a_server(vm, jobs, port, host, tunnel):
    uri = f"http://{host}:{port}"
    command = vm.mlflow_run(
        jobs, "main", f"line={LOG_ONE_METRIC}", changes={"tunnel": tunnel}, environment={"MLFLOW_TRACKING_URI": uri}
    )
    assert command.finished() == 0, command.text
    client = MlflowClient(f"http://127.0.0.1:{port}")
    run = client.search_runs(["0"])[0]
    assert (run.info.status, run.data.metrics) == ("FINISHED", {"m": 7.0})
    assert [artifact.path for artifact in client.list_artifacts(run.info.run_id)] == ["a.txt"]


def test_a_server_that_the_container_cannot_reach_is_said_before_the_job_begins(vm, jobs, port):
    uri = f"http://{socket.gethostname()}:{port}"
    command = vm.mlflow_run(
        jobs,
        "main",
        "line=echo begun",
        changes={"tunnel": False, "network": "none"},
        environment={"MLFLOW_TRACKING_URI": uri},
    )
    assert command.finished() == 1
    assert "begun" not in command.lines
    assert "the tracking server cannot be reached from there (no answer: " in command.lines[-1]
    assert MlflowClient(f"http://127.0.0.1:{port}").search_runs(["0"])[0].info.status == "FAILED"
