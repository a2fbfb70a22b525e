"""What a Livy batch does, done for real on this machine.

Its files and archives are fetched from the storage account and laid into a folder under the names that YARN gives them,
and spark-submit runs its main file there, with nothing of this process's environment.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tarfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azure.storage.blob import BlobServiceClient

from tests.services.spark_cluster import descendants

_NEXT = {  # which state may follow which
    "not_started": ("starting",),
    "starting": ("running", "dead", "killed"),
    "running": ("success", "dead", "killed"),
}
_WASBS = re.compile(r"wasbs://([^@/]+)@([^./]+)\.blob\.core\.windows\.net/([^#]+)(?:#(.+))?")
_ENVIRONMENT = "spark.yarn.appMasterEnv."


@dataclass
class Batch:
    """One batch, as its folder and its process know it."""

    number: int
    request: dict[str, Any]
    folder: Path
    state: str = "not_started"
    log: list[str] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None

    def become(self, state: str) -> None:
        """Change the state, as Livy's states follow each other."""
        if state in _NEXT.get(self.state, ()):
            self.state = state

    def view(self) -> dict[str, Any]:
        """What Livy answers about it."""
        return {
            "id": self.number,
            "name": self.request.get("name"),
            "owner": None,
            "proxyUser": None,
            "state": self.state,
            "appId": None,
            "appInfo": {"driverLogUrl": None, "sparkUiUrl": None},
            "log": self.log[-10:],
        }

    def run(self, storage: BlobServiceClient, spark_home: Path) -> None:
        """Run it to its end."""
        self.become("starting")
        try:
            self._localise(storage)
            self.process = self._spark_submit(spark_home)
        except Exception as error:
            self.log.append(f"{type(error).__name__}: {error}")
            self.become("dead")
            return
        if self.state == "killed":
            self.kill()
        self.become("running")
        for line in self.process.stdout or ():
            self.log.append(line.rstrip("\n"))
        code = self.process.wait()
        if code:
            self.log.append(f"\t diagnostics: User application exited with status {code}")
        self.become("dead" if code else "success")

    def kill(self) -> None:
        """End what runs of it."""
        self.become("killed")
        if self.process is not None and self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def kill_driver(self) -> None:
        """Kill the driver's Python, as a machine that runs out of memory would."""
        assert self.process is not None
        for pid in descendants(self.process.pid):
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"place.json" in command and not command[0].endswith(b"java"):
                os.kill(pid, signal.SIGKILL)

    def _localise(self, storage: BlobServiceClient) -> None:
        for uri in [self.request["file"], *self.request.get("files", [])]:
            content, name = _fetch(uri, storage)
            (self.folder / name).write_bytes(content)
        for uri in self.request.get("archives", []):
            content, name = _fetch(uri, storage)
            packed = self.folder / f"{name}.packed"
            packed.write_bytes(content)
            with tarfile.open(packed) as archive:
                archive.extractall(self.folder / name)

    def _spark_submit(self, spark_home: Path) -> subprocess.Popen[str]:
        request, conf = self.request, dict(self.request.get("conf", {}))
        given = {
            "spark.driver.memory": request.get("driverMemory"),
            "spark.executor.memory": request.get("executorMemory"),
            "spark.executor.cores": request.get("executorCores"),
            "spark.ui.enabled": "false",
        }
        conf |= {name: str(value) for name, value in given.items() if value is not None}
        options = [word for name, value in conf.items() for word in ("--conf", f"{name}={value}")]
        main = request["file"].rpartition("/")[2]
        return subprocess.Popen(
            [
                str(spark_home / "bin" / "spark-submit"),
                *("--master", "local[2]", "--name", request.get("name", "batch")),
                *options,
                main,
                *request.get("args", []),
            ],
            cwd=self.folder,
            env={
                name: os.environ[name]
                for name in ("PATH", "JAVA_HOME", "JAVA_TOOL_OPTIONS", "LANG")
                if name in os.environ
            }
            | {"HOME": str(self.folder), "SPARK_HOME": str(spark_home), "SPARK_LOCAL_IP": "127.0.0.1"}
            | {key.removeprefix(_ENVIRONMENT): value for key, value in conf.items() if key.startswith(_ENVIRONMENT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )


def _fetch(uri: str, storage: BlobServiceClient) -> tuple[bytes, str]:
    """Return the content of a blob and the name that it is given."""
    match = _WASBS.fullmatch(uri)
    if match is None:
        raise ValueError(f"No FileSystem for scheme: {uri}")
    content: bytes = storage.get_blob_client(match[1], match[3]).download_blob().readall()
    return content, match[4] or match[3].rpartition("/")[2]
