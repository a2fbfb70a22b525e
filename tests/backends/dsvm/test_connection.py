"""What the connection makes of an ssh that is a script here, so that it may do what a server seldom does."""

from __future__ import annotations

import os
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
