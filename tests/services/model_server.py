"""A model behind HTTP, by MLflow's own server, on a free port.

By hand, until Ctrl-C, with MLFLOW_TRACKING_URI set:

    python -m tests.services.model_server models:/demographics@champion
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.startup import answers_http, free_port, wait_until_up

_SECONDS_TO_START = 120


@contextmanager
def running(uri: str, log: Path) -> Iterator[str]:
    """Serve the model at `uri` for the length of the block, and give the address that takes requests."""
    port = free_port()
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
            wait_until_up(
                lambda: answers_http(f"{address}/ping"), process, log, "the model's server", _SECONDS_TO_START
            )
            yield f"{address}/invocations"
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch, running(sys.argv[1], Path(scratch) / "log") as invocations:
        print(invocations, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()
