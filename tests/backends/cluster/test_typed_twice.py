"""The same command, typed twice at once or after one that is gone: two jobs, or one that is followed again."""

from __future__ import annotations

import threading
from contextlib import nullcontext

import mlflow
import pytest
from mlflow.exceptions import ExecutionException

from backends.configuration import Settings
from backends.plugin import RemoteBackend

pytestmark = pytest.mark.disturbs


class FolderSettings(Settings):
    """One key, since a backend wants a configuration."""

    folder: str


class FolderBackend(RemoteBackend):
    """A backend whose jobs run in a folder's cluster."""

    name = "folder"
    settings = FolderSettings

    def __init__(self, compute):
        self.compute = compute

    def open(self, settings, request):
        return nullcontext(self.compute)


class Elsewhere:
    """The cluster as another command sees it, which calls `started` and `found` when it has done so."""

    def __init__(self, compute, started=list, found=list):
        self.compute = compute
        self.started = started
        self.found = found

    def __getattr__(self, name):
        return getattr(self.compute, name)

    def start(self, work, environment):
        job = self.compute.start(work, environment)
        self.started()
        return job

    def find(self, identity):
        found = self.compute.find(identity)
        self.found()
        return found


@pytest.fixture
def typed(tmp_path, monkeypatch):
    """Type one and the same command, on the cluster that is given; returns its run's id."""
    (tmp_path / "typed").mkdir()
    (tmp_path / "typed/conda.yaml").write_text("dependencies: [python=3.11]\n")
    (tmp_path / "typed/MLproject").write_text(
        "name: typed\nconda_env: conda.yaml\nentry_points: {main: {command: 'sleep 2'}}\n"
    )
    monkeypatch.setattr(RemoteBackend, "check", lambda *_: None)
    store = f"sqlite:///{tmp_path / 'mlflow.db'}"
    mlflow.set_tracking_uri(store)

    config = {"folder": "shared"}

    def run(compute):
        return FolderBackend(compute).run(str(tmp_path / "typed"), "main", {}, None, config, store, "0").run_id

    mlflow.MlflowClient(store).search_experiments()
    yield run
    mlflow.set_tracking_uri(None)


def test_a_command_is_no_job_of_before_while_the_one_that_starts_it_has_yet_to_follow_it(compute, typed, capfd):
    started, go_on, runs = threading.Event(), threading.Event(), []

    def is_started():
        started.set()
        assert go_on.wait(60)

    first = threading.Thread(target=lambda: runs.append(typed(Elsewhere(compute, started=is_started))))
    first.start()
    assert started.wait(60)
    runs.append(typed(compute))
    go_on.set()
    first.join()
    assert len(set(runs)) == 2
    assert "started before" not in capfd.readouterr().err
    assert compute.shared.names("started/") == []


def test_a_job_that_another_command_ends_and_removes_once_it_is_found_is_not_followed(compute, typed, capfd):
    runs, patience, compute.patience = [], compute.patience, 0.6

    def lose():
        compute.shared.lost = 1000

    with pytest.raises(ExecutionException, match="The job goes on there"):
        typed(Elsewhere(compute, started=lose))
    compute.shared.lost, compute.patience = 0, patience
    runs.append(typed(Elsewhere(compute, found=lambda: runs.append(typed(compute)))))
    assert len(set(runs)) == 2
    assert capfd.readouterr().err.count(f"started before; following run {runs[0]} again") == 1
    assert compute.shared.names("started/") == []
