"""Whether it is the engine or the way to it that fails, told over a real SSH connection."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from backends.dsvm.engine import Engine
from backends.dsvm.settings import DsvmSettings
from backends.failures import ConnectionLostError
from tests.backends.conftest import open_folder


@pytest.fixture
def dead_socket() -> Iterator[Path]:
    """The socket file that an engine has left behind."""
    with open_folder("dead") as folder:
        place = folder / "docker.sock"
        with closing(socket.socket(socket.AF_UNIX)) as engine:
            engine.bind(str(place))
        place.chmod(0o777)
        yield place


@pytest.fixture
def engine(ssh_server, account, dead_socket, monkeypatch) -> Iterator[Engine]:
    monkeypatch.setenv("PATH", str(ssh_server.bin), prepend=":")
    engine = Engine(DsvmSettings(host=f"ssh://{account}@127.0.0.1:{ssh_server.port}{dead_socket}"))
    yield engine
    engine.close()


def test_an_engine_that_does_not_answer_is_to_be_started_or_sshd_to_be_told_to_forward(engine):
    """Which of the two it is cannot be told: ssh says the same of both."""
    with pytest.raises(ConnectionLostError, match="Start it: sudo systemctl start docker") as caught:
        engine.open()
    assert "If it runs, sshd forbids forwarding: set AllowStreamLocalForwarding yes" in str(caught.value)


def test_an_engine_on_this_machine_has_no_sshd_before_it(dead_socket):
    engine = Engine(DsvmSettings(host=f"unix://{dead_socket}"))
    with pytest.raises(ConnectionLostError, match=r"Start it: sudo systemctl start docker\.$"):
        engine.open()


class Lookalike(BaseHTTPRequestHandler):
    """As much of a Docker engine as connecting to it needs."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"OK" if self.path.endswith("/_ping") else b'{"ApiVersion": "1.44"}')

    def address_string(self) -> str:
        return "unix"

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def answering(place: Path) -> Iterator[None]:
    """Let an engine answer at the socket for the length of the block."""
    place.unlink(missing_ok=True)
    server = socketserver.ThreadingUnixStreamServer(str(place), Lookalike)
    place.chmod(0o777)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def test_an_engine_that_goes_away_is_no_lost_connection(engine, dead_socket):
    told: list[bool] = []
    with answering(dead_socket):
        engine.open()
    back = threading.Event()

    def come_back() -> None:
        with answering(dead_socket):
            back.wait(30)

    threading.Timer(2, come_back).start()
    engine.reopen(lambda: told.append(True))
    back.set()
    assert told == []


@pytest.mark.parametrize("pause", [0, 0.3])
def test_a_connection_that_ends_is_told_though_its_ssh_ends_an_instant_later(engine, ssh_server, dead_socket, pause):
    told: list[bool] = []
    with answering(dead_socket):
        engine.open()
        threading.Timer(pause, ssh_server.cut).start()
        engine.reopen(lambda: told.append(True))
    assert told == [True]
