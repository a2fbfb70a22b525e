"""A tracking server that the VM can reach needs no tunnel; one that only this machine can reach goes through it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import pytest
from mlflow import MlflowClient

from tests.backends.dsvm.test_runs import LOG_ONE_METRIC

_SECONDS_TO_START = 120


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a real MLflow server on this machine."""
    folder = tmp_path_factory.mktemp("server")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    words = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    words += ["--artifacts-destination", str(folder / "artifacts"), "--host", "0.0.0.0", "--port", str(port)]
    words += ["--workers", "1", "--allowed-hosts", "*"]
    with (folder / "log").open("wb") as log:
        environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        server = subprocess.Popen(words, cwd=folder, stdout=log, stderr=log, env=environment, start_new_session=True)
    try:
        give_up = time.monotonic() + _SECONDS_TO_START
        while not answers(port):
            assert server.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < give_up
            time.sleep(0.3)
        yield port
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def answers(port: int) -> bool:
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).status == 200
    except OSError:
        return False


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
