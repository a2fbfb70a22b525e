"""What the connection makes of an ssh that is a script here, so that it may do what a server seldom does."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest

from backends.dsvm.settings import parse_host
from backends.dsvm.ssh import Connection
from backends.failures import BackendError


@pytest.fixture
def connection_by(tmp_path, monkeypatch) -> Iterator[Callable[[str], Connection]]:
    """Make a connection whose ssh is the given lines of shell."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    made: list[Connection] = []

    def make(lines: str) -> Connection:
        ssh = tmp_path / "ssh"
        ssh.write_text(f"#!/bin/sh\n{lines}\n")
        ssh.chmod(0o755)
        made.append(Connection(parse_host("ssh://me@vm")))
        return made[-1]

    yield make
    for connection in made:
        connection.close()


LATIN_1_BANNER = r"printf 'Zugriff nur f\374r Befugte\n'"


def test_a_banner_in_latin_1_does_not_hide_that_the_other_side_is_ready(connection_by):
    connection = connection_by(f"{LATIN_1_BANNER}; echo gridfold:ready; exec cat >/dev/null")
    connection.open()
    assert connection.is_up


def test_a_banner_in_latin_1_does_not_hide_why_ssh_ended(connection_by):
    connection = connection_by(f"{LATIN_1_BANNER} >&2; echo 'me@vm: Permission denied (publickey).' >&2; exit 255")
    with pytest.raises(BackendError, match="no key of yours is accepted"):
        connection.open()


@pytest.mark.parametrize(
    "lines",
    [
        "sleep 20 & echo gridfold:ready; exec cat >/dev/null",
        "trap '' TERM; echo gridfold:ready; sleep 20",
    ],
    ids=["its proxy lives on and holds its output", "it does not end when it is asked"],
)
def test_an_ssh_is_ended_in_seconds_though(connection_by, lines):
    connection = connection_by(lines)
    connection.open()
    before = time.monotonic()
    connection.close()
    assert time.monotonic() - before < 5
    assert not connection.is_up


def test_an_ssh_is_asked_to_end_so_that_it_ends_its_proxy(connection_by, tmp_path):
    asked = tmp_path / "asked"
    connection = connection_by(f"trap 'touch {asked}; exit' TERM; echo gridfold:ready; while :; do sleep 0.05; done")
    connection.open()
    connection.close()
    assert asked.exists()
