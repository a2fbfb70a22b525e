"""The smallest cluster: a folder for a shared folder, and a process on this machine for each application."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from backends.cluster.compute import ClusterCompute, Started
from backends.environment import Environment
from backends.failures import ConnectionLostError


class FolderShelf:
    """A SharedFolder in a folder; `lost` makes the next requests fail."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lost = 0

    def put(self, name: str, content: bytes | Path) -> None:
        self._connect()
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        part.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
        part.replace(path)

    def get(self, name: str) -> bytes | None:
        self._connect()
        path = self.folder / name
        return path.read_bytes() if path.is_file() else None

    def names(self, prefix: str) -> list[str]:
        self._connect()
        found = [path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file()]
        return sorted(name for name in found if name.startswith(prefix) and not name.endswith(".part"))

    def remove(self, prefix: str) -> None:
        for name in self.names(prefix):
            (self.folder / name).unlink()

    def _connect(self) -> None:
        if self.lost:
            self.lost -= 1
            raise ConnectionLostError("the shared folder does not answer.")


class ProcessApplication:
    """An Application that is a process; without one, the service has forgotten it."""

    def __init__(self, process: subprocess.Popen[bytes] | None) -> None:
        self.process = process

    def ended(self) -> str | None:
        if self.process is None:
            return ""
        code = self.process.poll()
        return None if code is None else f"the process ended with {code}"

    def cancel(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


class FolderCompute(ClusterCompute):
    """Keeps its processes by name, as a service would."""

    def __init__(self, folder: Path, patience: float = 10.0) -> None:
        super().__init__("folder", FolderShelf(folder), patience)
        self.folder = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.fail_with: Exception | None = None

    def prepare(self, environment: Environment) -> str:
        return "nothing to prepare."

    def submit(self, started: Started, environment: Environment) -> str:
        if self.fail_with:
            raise self.fail_with
        command = [sys.executable, str(self.folder / started.driver), str(self.folder), started.run_id]
        process = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.processes[started.name] = process
        return started.name

    def search(self, name: str) -> str | None:
        return name if name in self.processes else None

    def application(self, service_id: str) -> ProcessApplication:
        return ProcessApplication(self.processes.get(service_id))
