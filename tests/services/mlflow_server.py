"""An MLflow tracking server on a free port, with its store and artifacts in a folder that goes when it ends.

By hand, until Ctrl-C:

    python tests/services/mlflow_server.py
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SECONDS_TO_START = 90


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Run a server over the sqlite file in `folder` for the length of the block, and give its address."""
    port = _free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    places = [
        "--backend-store-uri",
        f"sqlite:///{folder}/mlflow.db",
        "--artifacts-destination",
        str(folder / "artifacts"),
    ]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [*command, *places],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},  # seven processes that no run needs
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_until_healthy(address, process, folder / "server.log")
            yield address
        finally:
            process.terminate()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_healthy(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < give_up and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"the MLflow server did not start: {log.read_text()}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch, running(Path(scratch)) as server:
        print(f"export MLFLOW_TRACKING_URI={server}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()
