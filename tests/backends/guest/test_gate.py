"""The gate lets the user's own processes through, whatever else comes to its door."""

from __future__ import annotations

import os
import resource
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from backends.guest import gate
from backends.guest.link import Link
from tests.backends.guest.test_link import echo

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@pytest.fixture
def closed_gate(tmp_path, monkeypatch) -> gate.Gate:
    """A gate that is not open yet; the kernel holds who comes before."""
    monkeypatch.setattr(gate, "_ROUTE", str(tmp_path / "route"))
    return gate.Gate()


def join_to_echo(route: str) -> None:
    pipe = socket.socket(socket.AF_UNIX)
    pipe.connect(route)
    threading.Thread(target=Link(echo()).attach, args=(pipe.recv, pipe.sendall), daemon=True).start()


def answer(client: socket.socket) -> bytes:
    client.settimeout(10)
    client.sendall(b"x")
    return client.recv(1)


@contextmanager
def no_more_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)  # the lowest
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_who_connects_and_resets_closes_it_to_nobody(closed_gate):
    join_to_echo(gate._ROUTE)
    for _ in range(3):
        client = socket.create_connection(("127.0.0.1", closed_gate.port))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        client.close()
    closed_gate.open()
    assert answer(socket.create_connection(("127.0.0.1", closed_gate.port))) == b"x"


def test_a_time_without_free_descriptors_passes(closed_gate):
    join_to_echo(gate._ROUTE)
    client = socket.create_connection(("127.0.0.1", closed_gate.port))
    with no_more_descriptors():
        closed_gate.open()
        time.sleep(0.5)
    assert answer(client) == b"x"


def test_another_users_process_is_not_let_in(closed_gate, monkeypatch):
    join_to_echo(gate._ROUTE)
    monkeypatch.setattr(gate.os, "getuid", lambda: 4242)
    closed_gate.open()
    client = socket.create_connection(("127.0.0.1", closed_gate.port))
    client.settimeout(10)
    assert client.recv(1) == b""
