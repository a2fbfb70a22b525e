"""A model behind HTTP, by MLflow's own server, on a free port.

By hand, until Ctrl-C, with MLFLOW_TRACKING_URI set:

    python tests/services/model_server.py models:/demographics@champion
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

_SECONDS_TO_START = 120


@contextmanager
def running(uri: str, log: Path) -> Iterator[str]:
    """Serve the model at `uri` for the length of the block, and give the address that takes requests."""
    port = _free_port()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", uri, "--env-manager", "local"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # MLflow calls uvicorn by its name
    with log.open("w") as file, tempfile.TemporaryDirectory() as away:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"],
            stdout=file,
            stderr=subprocess.STDOUT,
            cwd=away,  # where none of the repo's modules can be imported by chance
            # One thread a worker, as docs/production.md has it.
            env={**os.environ, "PATH": path, "PYTHONPATH": "", "POLARS_MAX_THREADS": "1"},
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_until_it_answers(address, process, log)
            yield f"{address}/invocations"
        finally:
            process.terminate()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_it_answers(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < give_up and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/ping", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"the model's server did not start: {log.read_text()}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch, running(sys.argv[1], Path(scratch) / "log") as invocations:
        print(invocations, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()
