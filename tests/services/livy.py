"""A stand-in for Livy on an HDInsight cluster: checks every request against the published REST API, and runs batches.

What it takes and answers is Livy's ``/batches`` (docs/rest-api of Apache Livy 0.7): names and types of all fields, the
header that Livy asks of every request that changes something, basic authentication over TLS, states, pages of the log.
What a batch does is real, see ``livy_batch``. Not checked: YARN's queues and sizes, and Hadoop's own wasbs.

By hand, until Ctrl-C, with Azurite running (python -m tests.services.azurite) and its connection string set:

    python -m tests.services.livy
"""

from __future__ import annotations

import base64
import ipaddress
import json
import os
import re
import ssl
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from azure.storage.blob import BlobServiceClient
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.services.livy_batch import Batch
from tests.services.spark_cluster import installed_home

_TEXTS = ("file", "proxyUser", "className", "driverMemory", "executorMemory", "queue", "name")
_LISTS = ("args", "jars", "pyFiles", "files", "archives")
_COUNTS = ("driverCores", "executorCores", "numExecutors")
_MEMORY = re.compile(r"\d+[kmgt]b?", re.IGNORECASE)


class Livy:
    """The server's state, and what tests do to it.

    Attributes
    ----------
    url : str
    certificate : Path
        What a client has to trust.
    user, password : str
        A test may change the password, as it expires.
    refusals : deque of (int, dict)
        Status and headers of the next answers, given before the request is looked at.
    answers_to_lose : int
        Of the next POSTs: they are carried out, and the connection closed.
    is_down : bool
        Every connection is closed at once.
    tells_names : bool
        False for Livy before 0.6.
    requests : list of (str, str, int)
        Method, path and status of all answers.
    spark_home : Path
    """

    def __init__(self, folder: Path, connection_string: str, spark_home: Path) -> None:
        self.folder = folder
        self.url = ""
        self.certificate = folder / "certificate.pem"
        self.user, self.password = "admin", "Pass-w0rd-of-the-cluster"
        self.refusals: deque[tuple[int, dict[str, str]]] = deque()
        self.answers_to_lose = 0
        self.is_down = False
        self.tells_names = True
        self.requests: list[tuple[str, str, int]] = []
        self.spark_home = spark_home
        self.submitted: list[Batch] = []
        self.batches: dict[int, Batch] = {}
        self._storage = BlobServiceClient.from_connection_string(connection_string)

    def reset(self) -> None:
        """End all batches and forget what tests have done."""
        for batch in list(self.batches.values()):
            self.delete(batch)
        self.refusals.clear()
        self.requests.clear()
        self.submitted.clear()
        self.answers_to_lose, self.is_down, self.tells_names = 0, False, True
        self.password = "Pass-w0rd-of-the-cluster"

    def submit(self, request: dict[str, Any]) -> Batch:
        """Take a batch; it starts on a thread of its own."""
        number = len(self.submitted)
        folder = Path(tempfile.mkdtemp(dir=self.folder, prefix=f"batch{number}-"))
        batch = Batch(number, request, folder)
        self.batches[number] = batch
        self.submitted.append(batch)
        threading.Thread(target=batch.run, args=(self._storage, self.spark_home), daemon=True).start()
        return batch

    def delete(self, batch: Batch) -> None:
        """Kill what runs and forget the batch."""
        self.batches.pop(batch.number, None)
        batch.kill()


def complaint(request: object) -> str:
    """Say what is wrong with the body of ``POST /batches``; empty for nothing."""
    if not isinstance(request, dict):
        return "the body is not a JSON object"
    for name, value in request.items():
        if name in _TEXTS:
            fits = isinstance(value, str)
        elif name in _LISTS:
            fits = isinstance(value, list) and all(isinstance(item, str) for item in value)
        elif name in _COUNTS:
            fits = isinstance(value, int) and not isinstance(value, bool) and value > 0
        elif name == "conf":
            fits = isinstance(value, dict) and all(isinstance(word, str) for pair in value.items() for word in pair)
        else:
            return f'Unrecognized field "{name}" (class org.apache.livy.server.batch.CreateBatchRequest)'
        if not fits:
            return f"Cannot deserialize the field {name}: {value!r}"
        if name.endswith("Memory") and not _MEMORY.fullmatch(value):
            return f"Invalid memory size {value}"
    if not request.get("file"):
        return "requirement failed: Must provide a file."
    return next((f"'{name}' is no Spark property" for name in request.get("conf", {}) if name[:6] != "spark."), "")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    livy: Livy

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def setup(self) -> None:
        self.request.settimeout(30)
        super().setup()

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_DELETE = do_GET  # noqa: N815

    def _answer(self) -> None:
        livy, body = self.livy, self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if livy.is_down:
            self.close_connection = True
            return
        if livy.refusals:
            status, headers = livy.refusals.popleft()
            self._send(status, {"msg": "Rejected, too many sessions are being created!"}, headers)
            return
        given = base64.b64encode(f"{livy.user}:{livy.password}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {given}":
            self._send(401, {}, {"WWW-Authenticate": 'Basic realm="HDInsight"'})
        elif self.command != "GET" and not self.headers.get("X-Requested-By"):
            self._send(400, {"msg": "Missing Required Header for CSRF protection."})
        else:
            self._route(body)

    def _route(self, body: bytes) -> None:
        address = urlsplit(self.path)
        match = re.fullmatch(r"/livy/batches(?:/(\d+)(/state|/log)?)?", address.path)
        if match is None:
            self._send(404, {"msg": "Not found"})
        elif match[1] is None:
            if self.command == "POST":
                self._post(body)
            else:
                self._list(dict(parse_qsl(address.query)))
        elif (batch := self.livy.batches.get(int(match[1]))) is None:
            self._send(404, {"msg": f"Session '{match[1]}' not found."})
        elif self.command == "DELETE":
            self.livy.delete(batch)
            self._send(200, {"msg": "deleted"})
        elif match[2] == "/log":
            query = dict(parse_qsl(address.query))
            size = int(query.get("size", 100))
            start = int(query.get("from", max(len(batch.log) - size, 0)))
            lines = batch.log[start : start + size]
            self._send(200, {"id": batch.number, "from": start, "total": len(batch.log), "log": lines})
        elif match[2] == "/state":
            self._send(200, {"id": batch.number, "state": batch.state})
        else:
            self._send(200, self._view(batch))

    def _post(self, body: bytes) -> None:
        if self.headers.get("Content-Type", "").partition(";")[0] != "application/json":
            self._send(400, {"msg": "Content-Type must be application/json"})
            return
        request = json.loads(body)
        if problem := complaint(request):
            self._send(400, {"msg": problem})
            return
        taken = [batch for batch in self.livy.batches.values() if batch.request.get("name") == request.get("name")]
        if taken and request.get("name"):
            self._send(400, {"msg": f"Duplicate session name: Some({request['name']}) for session {taken[0].number}"})
            return
        batch = self.livy.submit(request)
        if self.livy.answers_to_lose:
            self.livy.answers_to_lose -= 1
            self.close_connection = True
            return
        self._send(201, self._view(batch), {"Location": f"/batches/{batch.number}"})

    def _list(self, query: dict[str, str]) -> None:
        start, size = int(query.get("from", 0)), int(query.get("size", 100))
        batches = list(self.livy.batches.values())
        page = [self._view(batch) for batch in batches[start : start + size]]
        self._send(200, {"from": start, "total": len(batches), "sessions": page})

    def _view(self, batch: Batch) -> dict[str, Any]:
        return {key: value for key, value in batch.view().items() if self.livy.tells_names or key != "name"}

    def _send(self, status: int, answer: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self.livy.requests.append((self.command, self.path, status))
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up, or do not trust the certificate."""


@contextmanager
def running(connection_string: str, spark_home: Path | None = None) -> Iterator[Livy]:
    """Run the server for the length of the block.

    Parameters
    ----------
    connection_string : str
        Of the storage account that the cluster's files are in.
    spark_home : Path, optional
        The cluster's Spark; that of the installed pyspark if absent.
    """
    with tempfile.TemporaryDirectory(prefix="gridfold-livy-") as folder:
        livy = Livy(Path(folder), connection_string, spark_home or installed_home())
        key = _write_certificate(livy.certificate)
        handler = type("Handler", (_Handler,), {"livy": livy})
        server = _Server(("127.0.0.1", 0), handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(livy.certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        livy.url = f"https://127.0.0.1:{server.server_address[1]}/livy"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield livy
        finally:
            livy.reset()
            server.shutdown()
            server.server_close()


def _write_certificate(path: Path) -> Path:
    """Write a certificate that nobody else trusts, and its key beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret = path.with_suffix(".key")
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return secret


if __name__ == "__main__":
    with running(os.environ["AZURE_STORAGE_CONNECTION_STRING"]) as livy:
        print(f'"url": "{livy.url}", "ca_bundle": "{livy.certificate}"')
        print(f"export HDINSIGHT_USER={livy.user} HDINSIGHT_PASSWORD={livy.password}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()
