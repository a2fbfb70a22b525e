"""A reader who takes each piece of the log once has all of it, whatever the storage did with its answers."""

from __future__ import annotations

import os
import time

import pytest

from backends.guest import pieces
from backends.guest.pieces import Log


class Storage:
    """Takes each piece but for the first `refused`, loses the first `lost` answers, and is read at once."""

    def __init__(self, lost: int = 0, refused: int = 0) -> None:
        self.lost, self.refused = lost, refused
        self.calls = 0
        self.pieces: dict[str, bytes] = {}
        self.read: dict[str, bytes] = {}

    def put(self, name: str, content: bytes) -> None:
        self.calls += 1
        if self.refused:
            self.refused -= 1
            raise OSError("it answered 503")
        self.pieces[name] = content
        self.read.setdefault(name, content)
        if self.lost:
            self.lost -= 1
            raise OSError("the answer was lost")


@pytest.fixture(autouse=True)
def often(monkeypatch):
    monkeypatch.setattr(pieces, "_SECONDS_BETWEEN_LOOKS", 0.1)


def logged(storage: Storage, *lines: bytes) -> Log:
    """Write each line once the storage has been asked to take the one before."""
    with Log(storage, "jobs/r/log", []) as log:
        for line in lines[:-1]:
            before = storage.calls
            os.write(1, line)
            give_up = time.monotonic() + 20
            while storage.calls == before and time.monotonic() < give_up:
                time.sleep(0.01)
        os.write(1, lines[-1])
    return log


@pytest.mark.parametrize("trouble", [{}, {"lost": 1}, {"lost": 4}, {"refused": 1}, {"refused": 2, "lost": 2}])
def test_what_is_written_while_an_answer_is_lost_is_read_too(trouble):
    storage = Storage(**trouble)
    log = logged(storage, b"one\n", b"two\n", b"three\n")
    assert b"".join(storage.read.values()) == b"one\ntwo\nthree\n"
    assert storage.pieces == storage.read
    assert list(storage.read) == [f"jobs/r/log/{number + 1:06d}" for number in range(len(storage.read))]
    assert log.last_line == "three"


def test_the_end_waits_no_longer_for_a_storage_that_takes_nothing():
    storage = Storage(refused=10**6)
    began = time.monotonic()
    log = logged(storage, b"one\n", b"two\n")
    assert time.monotonic() - began < 10
    assert (storage.read, log.last_line) == ({}, "")
