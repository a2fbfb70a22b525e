"""Through the tunnel the user's own store looks like a server's, and afterwards as if the job had run here."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

from backends.dsvm.store import OwnStore


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, MlflowClient, int]]:
    """A sqlite store with a run in it, and the loopback port through which a job would see it."""
    folder = tmp_path_factory.mktemp("store")
    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    client.create_experiment("own", artifact_location=str(folder / "artifacts"))
    store = OwnStore(f"sqlite:///{folder}/mlflow.db")
    assert str(folder) not in str(store._process.args)  # a database's address may have a password
    door = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=hand_on, args=(door, store), daemon=True).start()
    yield folder, client, door.getsockname()[1]
    store.close()


def hand_on(door: socket.socket, store: OwnStore) -> None:
    while True:
        near, _ = door.accept()
        far = store.dial()
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=pour, args=(source, sink), daemon=True).start()


def pour(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def job(own) -> MlflowClient:
    """MLflow as a job in a container has it."""
    return MlflowClient(f"http://127.0.0.1:{own[2]}")


def test_a_jobs_artifacts_land_in_the_stores_own_folder(own, job, tmp_path):
    folder, client, _ = own
    run = job.create_run(job.get_experiment_by_name("own").experiment_id)
    assert run.info.artifact_uri.startswith("mlflow-artifacts:/")
    (tmp_path / "a.txt").write_text("hello")
    job.log_artifact(run.info.run_id, str(tmp_path / "a.txt"), "deep")
    theirs = client.get_run(run.info.run_id).info.artifact_uri
    assert theirs == f"{folder}/artifacts/{run.info.run_id}/artifacts"
    assert Path(theirs, "deep", "a.txt").read_text() == "hello"
    assert [file.path for file in job.list_artifacts(run.info.run_id, "deep")] == ["deep/a.txt"]
    assert Path(job.download_artifacts(run.info.run_id, "deep/a.txt", str(tmp_path))).read_text() == "hello"


def test_a_model_registered_by_a_job_loads_here_without_the_tunnel(own, job):
    class Half(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            return [value / 2 for value in model_input]

    folder, client, port = own
    mlflow.set_tracking_uri(f"http://127.0.0.1:{port}")
    mlflow.set_experiment("own")
    with mlflow.start_run():
        mlflow.pyfunc.log_model(name="model", python_model=Half(), registered_model_name="half")
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    assert mlflow.pyfunc.load_model("models:/half/1").predict([4.0]) == [2.0]
    assert "mlflow-artifacts" not in client.get_model_version_download_uri("half", "1")


@pytest.mark.parametrize(
    "path",
    [
        "/api/2.0/mlflow-artifacts/artifacts/etc/passwd",
        "/api/2.0/mlflow-artifacts/artifacts/{folder}/mlflow.db",
        "/api/2.0/mlflow-artifacts/artifacts/{folder}/artifacts/../mlflow.db",
        "/api/2.0/mlflow-artifacts/artifacts/{folder}/artifacts/%2e%2e/mlflow.db",
        "/api/2.0/mlflow-artifacts/artifacts/{folder}/artifacts/link/passwd",
        "/api/2.0/mlflow-artifacts/artifacts?path=etc",
        "/api/2.0/mlflow-artifacts/artifacts",
        "/ajax-api/2.0/mlflow/experiments/search",
        "/",
    ],
)
def test_nothing_but_the_experiments_folders_is_served(own, path):
    folder, _, port = own
    (folder / "artifacts").mkdir(exist_ok=True)
    with contextlib.suppress(FileExistsError):
        (folder / "artifacts" / "link").symlink_to("/etc")
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", path.format(folder=str(folder).lstrip("/")))
    answer = connection.getresponse()
    assert answer.status == 403
    assert json.loads(answer.read())["message"] == "not served through the tunnel"
