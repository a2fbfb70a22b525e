"""Whether it is the engine or the way to it that fails, told over a real SSH connection."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
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
