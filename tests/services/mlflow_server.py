"""An MLflow tracking server on a free port, with its store and artifacts in a folder that goes when it ends.

By hand, until Ctrl-C:

    python -m tests.services.mlflow_server
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

_SECONDS_TO_START = 90


@contextmanager
def running(folder: Path, *, for_all: bool = False) -> Iterator[str]:
    """Run a server over the sqlite file in `folder` for the length of the block, and give its address.

    Parameters
    ----------
    folder : Path
    for_all : bool
        Listen on every address of this machine, under whatever name it is called, not on 127.0.0.1 alone.
    """
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1"]
    places = [
        *(["--host", "0.0.0.0", "--allowed-hosts", "*"] if for_all else ["--host", "127.0.0.1"]),
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
            wait_until_up(
                lambda: answers_http(f"{address}/health"),
                process,
                folder / "server.log",
                "the MLflow server",
                _SECONDS_TO_START,
            )
            yield address
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch, running(Path(scratch)) as server:
        print(f"export MLFLOW_TRACKING_URI={server}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()
