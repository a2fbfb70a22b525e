"""What every service here needs to begin: a port that nobody has, and patience until it answers.

A program that can be told ``port 0`` and prints what it took is better served so (Azurite, Spark's daemons): between
``free_port`` and the program's own bind another may take the port.
"""

from __future__ import annotations

import http.client
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def answers_http(url: str) -> bool:
    """Whether a server answers `url` with success."""
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, http.client.HTTPException, OSError):
        return False


def wait_until_up(
    answers: Callable[[], bool],
    process: subprocess.Popen[Any],
    log: Path,
    name: str,
    seconds: float,
    every: float = 0.2,
) -> None:
    """Return once `answers` is true; if the process ends or the time is over first, say so with the end of its log."""
    give_up = time.monotonic() + seconds
    while not answers():
        if process.poll() is not None or time.monotonic() > give_up:
            raise RuntimeError(f"{name} did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(every)
