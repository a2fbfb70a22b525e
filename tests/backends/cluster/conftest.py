"""A cluster in a folder, and jobs for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import pytest

from backends.environment import Environment
from backends.job import Work
from backends.project import Project
from tests.backends.cluster.folder_compute import FolderCompute

NOTHING = Environment("3.11", ())


@pytest.fixture
def compute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FolderCompute]:
    """A cluster without jobs, looked at ten times as often as a real one."""
    monkeypatch.setattr("backends.cluster.job._SECONDS_BETWEEN_LOOKS", 0.1)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    (tmp_path / "shared").mkdir()
    compute = FolderCompute(tmp_path / "shared")
    yield compute
    for process in compute.processes.values():
        process.kill()
        process.wait()


@pytest.fixture
def work(tmp_path: Path) -> Callable[..., Work]:
    """Make the work of running a Python module, whose text is given, or a line of shell."""
    folder = tmp_path / "project"
    folder.mkdir()

    def make(text: str = "", command: str = "python -m job", run_id: str = "run1", **secrets: str) -> Work:
        (folder / "job.py").write_text(text)
        files = Project(folder, (PurePosixPath("job.py"),))
        return Work(run_id, "same", command, files, {"GREETING": "hello"}, secrets, None)

    return make
