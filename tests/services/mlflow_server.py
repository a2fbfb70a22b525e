"""An MLflow tracking server on a free port, with its store and artifacts in a folder that goes when it ends.

By hand, until Ctrl-C:

    python -m tests.services.mlflow_server
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.services.startup import answers_http, free_port, wait_until_up

_SECONDS_TO_START = 90


@dataclass
class MlflowServer:
    """A server that can be killed and started again, at the same address and over the same store.

    Attributes
    ----------
    folder : Path
        Its log, artifacts, and sqlite file where no other store is named.
    store : str
        A database's address.
    for_all : bool
        Listen on every address of this machine, under whatever name it is called, not on 127.0.0.1 alone.
    """

    folder: Path
    store: str = ""
    for_all: bool = False
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """What to put in MLFLOW_TRACKING_URI."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "mlflow", "server", "--port", str(self.port), "--workers", "1"]
        places = [
            *(["--host", "0.0.0.0", "--allowed-hosts", "*"] if self.for_all else ["--host", "127.0.0.1"]),
            "--backend-store-uri",
            self.store or f"sqlite:///{self.folder}/mlflow.db",
            "--artifacts-destination",
            str(self.folder / "artifacts"),
        ]
        log = self.folder / "server.log"
        with log.open("a") as file:
            self.process = subprocess.Popen(
                [*command, *places],
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},  # seven processes that no run needs
                start_new_session=True,
            )
        wait_until_up(
            lambda: answers_http(f"{self.address}/health"), self.process, log, "the MLflow server", _SECONDS_TO_START
        )

    def kill(self) -> None:
        """End it and its workers on the spot."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """End it in good order."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait()


@contextmanager
def running(folder: Path, *, for_all: bool = False) -> Iterator[str]:
    """Run a server over the sqlite file in `folder` for the length of the block, and give its address."""
    server = MlflowServer(folder, for_all=for_all)
    try:
        server.start()
        yield server.address
    finally:
        server.stop()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch, running(Path(scratch)) as server:
        print(f"export MLFLOW_TRACKING_URI={server}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()
