"""What every service here needs to begin: its programs, a port that nobody has, and patience until it answers.

A program that can be told ``port 0`` and prints what it took is better served so (Azurite, Spark's daemons): between
``free_port`` and the program's own bind another may take the port.
"""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def require(missing: str) -> None:
    """Skip the test for the reason `missing`, if it is not empty; in CI, where nothing may be missing, fail it."""
    if missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)


def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all workers of a test run have in common."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


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
    wait_until(answers, lambda: process.poll() is None, lambda: log.read_text(errors="replace"), name, seconds, every)


def wait_until(
    answers: Callable[[], bool],
    lives: Callable[[], bool],
    said: Callable[[], str],
    name: str,
    seconds: float,
    every: float = 0.2,
) -> None:
    """Return once `answers` is true, as ``wait_until_up`` does of whatever is no process of ours."""
    give_up = time.monotonic() + seconds
    while not answers():
        if not lives() or time.monotonic() > give_up:
            raise RuntimeError(f"{name} did not start: {said()[-2000:]}")
        time.sleep(every)
