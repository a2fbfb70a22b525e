"""A Databricks workspace on loopback: the parts of its REST API that jobs need, over folders and real Spark.

By hand, until Ctrl-C: ``python -m tests.services.databricks``.

Every request is checked (``databricks_api``), and a submitted run really runs (``databricks_run``). What it is not:
access control beyond one token, clusters, the installation of libraries. A driver finds ``/Volumes`` and ``/Workspace``
mounted; mounting needs root, so here its command line is given the folders that stand for them.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.services.databricks_api import RefusedError
from tests.services.databricks_workspace import CLUSTER, USER, VOLUME, Fault, Workspace

__all__ = ["CLUSTER", "USER", "VOLUME", "Fault", "Workspace", "running"]

_OPEN = ("/", "/.well-known/databricks-config")  # asked before anybody signs in


class _Handler(BaseHTTPRequestHandler):
    """Reads a request, lets the workspace answer, and sends that, or what the fault of the hour has it send."""

    protocol_version = "HTTP/1.1"
    workspace: Workspace

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.workspace.asked.append((self.command, path))
        fault = self._fault(path)
        if fault and fault.status:
            said = {"error_code": "TEMPORARILY_UNAVAILABLE", "message": "The service is busy."}
            return self._send(fault.status, said, fault.headers)
        try:
            self._check_token(path)
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            answer = self.workspace.answer(self.command, path, query, body, self.headers.get("Content-Type", ""))
        except RefusedError as error:
            return self._send(error.status, {"error_code": error.code, "message": str(error)})
        if fault:
            self.close_connection = True
            return self.connection.close()
        return self._send(200, answer)

    def _fault(self, path: str) -> Fault | None:
        for fault in self.workspace.faults:
            if fault.times > 0 and re.search(fault.path, path):
                fault.times -= 1
                return fault
        return None

    def _check_token(self, path: str) -> None:
        given = self.headers.get("Authorization", "")
        if path in _OPEN:
            return
        if not given.startswith("Bearer "):
            raise RefusedError(401, "UNAUTHENTICATED", "Credential was not sent or was of an unsupported type.")
        if given != f"Bearer {self.workspace.token}":
            raise RefusedError(403, "PERMISSION_DENIED", "Invalid access token. [ReqId: 0]")

    def _send(self, status: int, answer: bytes | dict[str, Any], headers: dict[str, str] | None = None) -> None:
        is_json = isinstance(answer, dict)
        content = json.dumps(answer).encode() if is_json else answer
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json" if is_json else "application/octet-stream",
            "Content-Length": str(len(content)),
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@contextmanager
def running(master: str = "local[2]") -> Iterator[Workspace]:
    """Run a workspace for the length of the block; its address is ``host``."""
    folder = Path(tempfile.mkdtemp(prefix="gridfold-databricks-"))
    workspace = Workspace(folder, master)
    handler = type("Handler", (_Handler,), {"workspace": workspace})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    workspace.host = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield workspace
    finally:
        workspace.stop()
        server.shutdown()
        server.server_close()
        thread.join()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    with running() as started:
        print(f"export DATABRICKS_HOST={started.host} DATABRICKS_TOKEN={started.token}   # files: {VOLUME}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()
