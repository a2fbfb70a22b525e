"""Azurite, Microsoft's emulator of Azure Blob Storage, on a free port with its data in memory.

By hand, until Ctrl-C:

    python tests/services/azurite.py

``npm install --global azurite`` puts it on PATH; ``GRIDFOLD_AZURITE`` may name it elsewhere.
"""

from __future__ import annotations

import http.client
import os
import queue
import re
import shutil
import ssl
import subprocess
import tempfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

ACCOUNT = "devstoreaccount1"
# Azurite's published key, the same in every installation.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

_LISTENING = re.compile(r"listens on (https?://\S+)")
_REQUEST = re.compile(r'"(?P<method>[A-Z]+) (?P<path>\S+) HTTP/1\.1" (?P<status>\d+) (?P<bytes>\S+)')
_SECONDS_TO_START = 30


@dataclass(frozen=True)
class Request:
    """One line of the server's access log."""

    method: str
    path: str
    status: int
    bytes: int


@dataclass
class Azurite:
    """A running server.

    Attributes
    ----------
    endpoint : str
        Of the account, e.g. ``http://127.0.0.1:10000/devstoreaccount1``.
    """

    endpoint: str
    certificate: Path | None = None
    _requests: list[Request] = field(default_factory=list)

    @property
    def connection_string(self) -> str:
        """What goes into AZURE_STORAGE_CONNECTION_STRING."""
        scheme = urlsplit(self.endpoint).scheme
        return f"DefaultEndpointsProtocol={scheme};AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={self.endpoint};"

    def requests(self) -> list[Request]:
        """Return every request answered so far.

        The log is written behind the answers, so a request of our own is made and waited for: what came before it is
        then in the log too.
        """
        mark = f"/{ACCOUNT}/{uuid.uuid4().hex}"
        self._get(mark)
        while not any(request.path == mark for request in list(self._requests)):
            threading.Event().wait(0.01)
        return [request for request in self._requests if not re.fullmatch(rf"/{ACCOUNT}/[0-9a-f]{{32}}", request.path)]

    def _get(self, path: str) -> None:
        address = urlsplit(self.endpoint)
        if address.scheme == "https":
            trusted = ssl.create_default_context(cafile=self.certificate)
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(address.netloc, context=trusted)
        else:
            connection = http.client.HTTPConnection(address.netloc)
        connection.request("GET", path)
        connection.getresponse().read()
        connection.close()

    def _read_log(self, lines: Iterator[str]) -> None:
        for line in lines:
            if match := _REQUEST.search(line):
                size = int(match["bytes"]) if match["bytes"].isdigit() else 0
                self._requests.append(Request(match["method"], match["path"], int(match["status"]), size))


def find() -> str | None:
    """Return the path of ``azurite-blob``, or None where it is not installed."""
    return os.environ.get("GRIDFOLD_AZURITE") or shutil.which("azurite-blob")


@contextmanager
def running(program: str, certificate: Path | None = None, key: Path | None = None) -> Iterator[Azurite]:
    """Run Azurite for the length of the block.

    Parameters
    ----------
    program : str
        See ``find``.
    certificate, key : Path, optional
        Serve HTTPS with these, and take bearer tokens as well as keys.
    """
    secure = ["--oauth", "basic", "--cert", str(certificate), "--key", str(key)] if certificate else []
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [
                program,
                "--blobPort",
                "0",
                "--inMemoryPersistence",
                "--disableTelemetry",
                "--skipApiVersionCheck",
                *secure,
            ],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield _started(process, certificate)
        finally:
            process.terminate()
            process.wait()


def _started(process: subprocess.Popen[str], certificate: Path | None) -> Azurite:
    """Wait for the line that tells the port, and keep reading, or the server would block on a full pipe."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in process.stdout or ():
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    said = []
    while (line := lines.get(timeout=_SECONDS_TO_START)) is not None:
        said.append(line)
        if match := _LISTENING.search(line):
            server = Azurite(f"{match[1].rstrip('/')}/{ACCOUNT}", certificate)
            threading.Thread(target=server._read_log, args=(iter(lines.get, None),), daemon=True).start()
            return server
    raise RuntimeError(f"Azurite did not start: {''.join(said)}")


if __name__ == "__main__":
    installed = find()
    if installed is None:
        raise SystemExit("azurite-blob is not installed: npm install --global azurite")
    with running(installed) as server:
        print(f"export AZURE_STORAGE_CONNECTION_STRING='{server.connection_string}'", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()
