"""A proxy before an HTTP server that goes wrong on demand, a fault at a time, and counts what it was asked.

By hand, before a server at port 5000, with a fault for every third request until Ctrl-C:

    python -m tests.services.faulty_proxy http://127.0.0.1:5000 503
"""

from __future__ import annotations

import http.client
import itertools
import socket
import sys
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REFUSE, LOSE, GARBAGE, SLOW = "refuse", "lose", "garbage", "slow"
STATUSES = ("401", "403", "408", "429", "500", "503")
MODES = (REFUSE, LOSE, GARBAGE, SLOW, *STATUSES)
"""``refuse`` cuts the connection before the request is handed on, ``lose`` after it was carried out."""

_HOP_BY_HOP = {"connection", "transfer-encoding", "keep-alive", "date", "server"}

Wrong = Callable[[str, str, int], str | None]


class FaultyProxy:
    """Hands requests on to `target`, save those for which `wrong` names a mode of ``MODES``.

    Attributes
    ----------
    wrong : callable or None
        Takes method, path and the request's number, from 0; returns a mode, or None to hand it on.
    asked : list of tuple
        Method, path and mode of each request so far.
    """

    def __init__(self, target: str) -> None:
        parts = urllib.parse.urlsplit(target)
        self.host, self.port = str(parts.hostname), int(parts.port or 80)
        self.wrong: Wrong | None = None
        self.asked: list[tuple[str, str, str | None]] = []
        self.released = threading.Event()
        self._number = itertools.count()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def __getattr__(self, name: str) -> Callable[[], None]:
                if name.startswith("do_"):
                    return lambda: proxy._serve(self)
                raise AttributeError(name)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    @property
    def address(self) -> str:
        """What to put in MLFLOW_TRACKING_URI."""
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def count(self, method: str, ending: str) -> int:
        """How many requests of this kind there were, handed on or not."""
        return sum(verb == method and path.endswith(ending) for verb, path, _ in self.asked)

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        path = request.path.partition("?")[0]
        mode = self.wrong(request.command, path, next(self._number)) if self.wrong else None
        self.asked.append((request.command, path, mode))
        if mode == REFUSE:
            return _cut(request)
        if mode in STATUSES:
            return _answer(request, int(mode), b"<html>no</html>", {})
        if mode == SLOW:
            self.released.wait()
        try:
            status, headers, answer = self._handed_on(request, body)
        except (OSError, http.client.HTTPException):  # the server itself is down
            return _cut(request)
        if mode == LOSE:
            return _cut(request)
        return _answer(request, status, b'{"run": {"in' if mode == GARBAGE else answer, headers)

    def _handed_on(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        try:
            headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
            connection.request(request.command, request.path, body, headers)
            answer = connection.getresponse()
            kept = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP}
            return answer.status, kept, answer.read()
        finally:
            connection.close()


@contextmanager
def running(target: str) -> Iterator[FaultyProxy]:
    """Run a proxy before `target` for the length of the block."""
    proxy = FaultyProxy(target)
    thread = threading.Thread(target=proxy.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.released.set()
        proxy.server.shutdown()
        proxy.server.server_close()


def _cut(request: BaseHTTPRequestHandler) -> None:
    request.close_connection = True
    request.connection.shutdown(socket.SHUT_RDWR)


def _answer(request: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str]) -> None:
    request.send_response(status)
    for name, value in headers.items():
        if name.lower() != "content-length":
            request.send_header(name, value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


if __name__ == "__main__":
    with running(sys.argv[1]) as shown:
        shown.wrong = lambda method, path, number: sys.argv[2] if number % 3 == 2 else None
        print(f"export MLFLOW_TRACKING_URI={shown.address}", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()
