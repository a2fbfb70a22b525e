"""The user's side of the tunnel: what the job's tracking requests are connected to when they arrive here."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from backends.failures import BackendError
from backends.messages import say

_SECONDS_TO_START = 120


class OwnServer:
    """A tracking server that this machine can reach and the job cannot: its connections are handed on as they are.

    Raises
    ------
    BackendError
        It speaks HTTPS, whose certificate is for another name than the one that the job would call.
    """

    def __init__(self, tracking_uri: str) -> None:
        parts = urlsplit(tracking_uri)
        if parts.scheme != "http" or parts.path.strip("/"):
            raise BackendError(f'"tunnel": the server {tracking_uri} cannot be tunnelled; only http://host:port can.')
        self._address = (parts.hostname or "", parts.port or 80)

    def dial(self) -> socket.socket:
        """Connect to it."""
        return socket.create_connection(self._address, timeout=None)

    def close(self) -> None:
        """Nothing was started."""


class OwnStore:
    """A sqlite file or folder of runs, served at a socket file that only this user can open, while it is needed.

    It starts in the background; ``dial`` waits for it.
    """

    def __init__(self, tracking_uri: str) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="gridfold-"))
        self._socket = str(self._folder / "store")
        self._closing = False
        self._process = subprocess.Popen(
            # -P: a folder called backends or cache, where the user happens to be, is not ours
            [sys.executable, "-P", "-m", "backends.dsvm.store_app", self._socket],
            env=os.environ | {"MLFLOW_TRACKING_URI": tracking_uri},  # a database's has a password: no argument of it
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for us to answer
        )
        threading.Thread(target=self._watch, args=(self._process.stderr,), daemon=True).start()

    def dial(self) -> socket.socket:
        """Connect to it."""
        give_up = time.monotonic() + _SECONDS_TO_START
        if sys.platform == "win32":
            raise NotImplementedError("serve() refuses this")
        while True:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(self._socket)
                return connection
            except OSError:
                connection.close()
                if self._process.poll() is not None or time.monotonic() > give_up:
                    raise
            time.sleep(0.05)

    def close(self) -> None:
        """End it."""
        self._closing = True
        self._process.kill()  # the job has ended: nothing is under way, and a polite end would wait for idle clients
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _watch(self, stderr: IO[str]) -> None:
        """Read what it says, and repeat the last of it if it ends before its time."""
        last = ""
        for line in stderr:
            last = line.strip() or last
        if not self._closing:
            say(f"tunnel: serving the tracking store has ended: {last}")


def serve(tracking_uri: str) -> OwnServer | OwnStore:
    """Make the store reachable for this process.

    Raises
    ------
    BackendError
        It is a file or a folder, and this machine has no socket files, so that every user of it could read the store.
    """
    if urlsplit(tracking_uri).scheme in ("http", "https"):
        return OwnServer(tracking_uri)
    if sys.platform == "win32":
        raise BackendError(
            f'"tunnel": Windows cannot serve the store {tracking_uri} to the tunnel alone. Start a server of your own '
            "(mlflow server) and set MLFLOW_TRACKING_URI to its address."
        )
    return OwnStore(tracking_uri)
