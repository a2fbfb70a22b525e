"""A VM to run on: a real Docker engine, reached over real SSH, with the environment's image made once a session."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import docker
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from backends.job import Work
from backends.project import Project
from tests.backends.remote_sweeps import SWEEP, copy_project, sweep_runs, table, winner_lines
from tests.services import docker_engine, pip_settings, sshd
from tests.services.docker_engine import BASE_IMAGE, DockerEngine
from tests.services.sshd import Sshd
from tests.services.startup import require, shared_folder

ROOT = Path(__file__).parents[2]

INDEX_PASSWORD = "planted-a2c43f0b9d1e4d0c8f53"
"""What pip had while the image was made; never another, since an engine that is kept may have an older run's image."""


@pytest.fixture(scope="session")
def rootfs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The base image's files, made once for all workers of a test run."""
    require(docker_engine.missing())
    return docker_engine.rootfs_shared_by(shared_folder(tmp_path_factory))


@pytest.fixture(scope="session")
def ssh_server() -> Iterator[Sshd]:
    """An SSH server on loopback."""
    require(sshd.missing())
    with open_folder("sshd") as folder, sshd.running(folder) as server:
        yield server


@pytest.fixture(scope="session")
def account(ssh_server: Sshd) -> str:
    """The VM's user."""
    return ssh_server.add_account()


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest, account: str) -> Iterator[DockerEngine]:
    """A Docker engine that the VM's user may use; GRIDFOLD_TEST_ENGINE names the folder of one that is to be kept."""
    require(docker_engine.missing())
    if kept := os.environ.get("GRIDFOLD_TEST_ENGINE"):
        yield docker_engine.kept(Path(kept), account, lambda: request.getfixturevalue("rootfs"))
        return
    rootfs = request.getfixturevalue("rootfs")
    with open_folder("engine") as folder, docker_engine.running(folder, group=account) as running:
        running.load_base(rootfs)
        yield running


@contextmanager
def open_folder(name: str) -> Iterator[Path]:
    """Give a folder that other accounts can pass through, as /run on a VM; pytest's own are closed to them."""
    with tempfile.TemporaryDirectory(prefix=f"gridfold-{name}-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="session")
def pip_access(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The configuration's key ``build``: how pip reaches its index from here."""
    return pip_settings.as_build(tmp_path_factory.mktemp("pip"))


def environment_at(home: Path, tracking_uri: str, hidden: tuple[str, ...] = ("MLFLOW_",)) -> dict[str, str]:
    """Return the environment of a command begun in `home`: this process's, but for names that begin as `hidden` do."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    return kept | {
        "MLFLOW_TRACKING_URI": tracking_uri,
        "SWEEP_CACHE": str(home / "swept"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }


@dataclass
class Command:
    """One ``mlflow run`` under way, its output read as it comes."""

    process: subprocess.Popen[bytes]
    output: bytearray = field(default_factory=bytearray)

    @classmethod
    def start(
        cls,
        words: Sequence[str],
        parameters: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        terminal: bool = False,
    ) -> Command:
        """Start ``mlflow run`` in `folder`, its output on a terminal or in a pipe."""
        given = [word for parameter in parameters for word in ("-P", parameter)]
        source, sink = pty.openpty() if terminal else os.pipe()
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("mlflow")), "run", *words, *given],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
        os.close(sink)
        command = cls(process)
        threading.Thread(target=_collect, args=(command, source), daemon=True).start()
        return command

    def wait_for(self, text: str, seconds: float = 90) -> str:
        """Return the first line that holds `text`, once it has come."""
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            if found := next((line for line in self.lines if text in line), None):
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"no {text!r} in:\n{self.text}")

    def finished(self, seconds: float = 180) -> int:
        """Wait for the end; return the exit code."""
        try:
            return self.process.wait(seconds)
        finally:
            self.end()

    def interrupt(self) -> None:
        """Press Ctrl-C: a terminal sends it to everyone on it."""
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self) -> None:
        """Kill it, if it still runs, as a laptop's battery would."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        time.sleep(0.2)  # for the reading thread

    @property
    def text(self) -> str:
        """All of its output so far."""
        return self.output.decode(errors="replace")

    @property
    def lines(self) -> list[str]:
        """The same, in lines."""
        return self.text.splitlines()


@dataclass
class Vm:
    """The VM, and one test's own place to start commands from.

    Attributes
    ----------
    home : Path
        The working folder; the tracking store is ``mlflow.db`` in it.
    settings : dict
        The JSON configuration.
    """

    engine: DockerEngine
    sshd: Sshd
    home: Path
    settings: dict[str, Any]
    commands: list[Command] = field(default_factory=list)

    @property
    def docker(self) -> docker.DockerClient:
        return self.engine.client()

    @property
    def store(self) -> MlflowClient:
        """The user's own store, opened past everything under test."""
        return MlflowClient(self.tracking_uri)

    @property
    def tracking_uri(self) -> str:
        return f"sqlite:///{self.home / 'mlflow.db'}"

    def mlflow_run(
        self,
        project: Path | str,
        entry_point: str = "main",
        *parameters: str,
        backend: str = "dsvm",
        changes: dict[str, Any] | None = None,
        environment: dict[str, str] | None = None,
        terminal: bool = False,
    ) -> Command:
        """Start ``mlflow run`` with the configuration as `changes` change it, its output on a terminal or in a pipe."""
        config = self.home / f"config-{len(self.commands)}.json"
        config.write_text(json.dumps(self.settings | (changes or {})))
        where = ["-b", backend, "-c", str(config)] if backend != "local" else ["--env-manager", "local"]
        words = [str(project), "-e", entry_point, *where]
        command = Command.start(words, parameters, self.home, self._environment() | (environment or {}), terminal)
        self.commands.append(command)
        return command

    def _environment(self) -> dict[str, str]:
        return environment_at(self.home, self.tracking_uri) | {"PATH": f"{self.sshd.bin}:{os.environ['PATH']}"}

    def newest_run(self) -> Run:
        return self.store.search_runs(["0"], max_results=1)[0]

    def job_of(self, command: Command) -> tuple[str, Any]:
        """Return the run's id and the container of a command that has started its job."""
        run_id = command.wait_for("started run").split("started run ")[1].split()[0]
        return run_id, self.docker.containers.get(f"gridfold-{run_id[:12]}")

    def containers(self) -> list[str]:
        """Return the names of all containers, running or not."""
        return [container.name for container in self.docker.containers.list(all=True)]


def _collect(command: Command, source: int) -> None:
    with suppress(OSError):  # how a terminal says that its other end is closed
        while chunk := os.read(source, 65536):
            command.output.extend(chunk)
    os.close(source)


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory, make_vm: Callable[[Path], Vm]) -> str:
    """The environment's image, made by the command that a user types, with a password for pip; returns what it said."""
    vm = make_vm(tmp_path_factory.mktemp("prepare"))
    build = vm.settings["build"]
    with_password = {"build": build | {"environment": [*build["environment"], "INDEX_PASSWORD"]}}
    command = vm.mlflow_run(ROOT, "prepare", changes=with_password, environment={"INDEX_PASSWORD": INDEX_PASSWORD})
    assert command.finished(900) == 0, command.text
    return command.text


@pytest.fixture(scope="session")
def make_vm(engine: DockerEngine, ssh_server: Sshd, account: str, pip_access: dict[str, Any]) -> Callable[[Path], Vm]:
    """Make a Vm for a working folder."""
    settings = {
        "host": f"ssh://{account}@127.0.0.1:{ssh_server.port}{engine.socket}",
        "base_image": BASE_IMAGE,
        "network": "host",
        "tunnel": True,
        "build": pip_access,
    }
    return lambda home: Vm(engine, ssh_server, home, settings)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tracking store without runs, to be copied: MLflow takes seconds to make one."""
    path = tmp_path_factory.mktemp("empty") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def vm(make_vm: Callable[[Path], Vm], image: str, empty_store: Path, tmp_path: Path) -> Iterator[Vm]:
    """A VM with the image on it, and nothing else when the test has ended."""
    vm = make_vm(tmp_path)
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as store, store:
        store.execute("UPDATE experiments SET artifact_location = ?", [str(tmp_path / "mlruns" / "0")])
    yield vm
    for command in vm.commands:
        command.end()
    for container in vm.docker.containers.list(all=True):
        container.remove(force=True)


@dataclass(frozen=True)
class SweptHere:
    """What a sweep on this machine has come to: its table, and what it printed of the winner."""

    table: dict[str, dict[str, float]]
    printed: list[str]


@pytest.fixture(scope="session")
def swept_here(tmp_path_factory: pytest.TempPathFactory) -> SweptHere:
    """The small sweep on this machine, for all that is held against it."""
    folder = tmp_path_factory.mktemp("here")
    store = f"sqlite:///{folder / 'mlflow.db'}"
    words = [str(copy_project(folder / "project")), "-e", SWEEP[0], "--env-manager", "local"]
    command = Command.start(words, SWEEP[1:], folder, environment_at(folder, store, ("MLFLOW_", "DATABRICKS_")))
    assert command.finished() == 0, command.text
    client = MlflowClient(store)
    return SweptHere(table(client, sweep_runs(client)[0], folder), winner_lines(command.lines))


_JOBS = """
name: jobs
conda_env: conda.yaml
entry_points:
  main: {parameters: {line: string}, command: "bash -c {line}"}
  prepare: {command: "false"}
  clean: {command: "false"}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project, with specs of its own."""
    return copy_project(tmp_path / "project")


@pytest.fixture
def work(tmp_path: Path) -> Callable[..., Work]:
    """Make the work of running a Python module, whose text is given."""
    folder = tmp_path / "project"
    folder.mkdir()

    def make(text: str, run_id: str = "run1", **secrets: str) -> Work:
        (folder / "job.py").write_text(text)
        files = Project(folder, (PurePosixPath("job.py"),))
        return Work(run_id, "same", "python -m job", files, {}, secrets, None)

    return make


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    """A project whose entry point runs any line of shell, in the environment of ours."""
    folder = tmp_path / "jobs"
    folder.mkdir()
    shutil.copy(ROOT / "conda.yaml", folder)
    (folder / "MLproject").write_text(_JOBS)
    return folder
