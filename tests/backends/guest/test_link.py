"""The link carries every byte once and in order, however often its pipe breaks."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable

import pytest

from backends.guest.link import Link


def echo() -> Callable[[], socket.socket]:
    """Return a dial that reaches a server which sends back what it gets, and ends when the other does."""

    def dial() -> socket.socket:
        here, there = socket.socketpair()

        def serve() -> None:
            while chunk := there.recv(4096):
                there.sendall(chunk)
            there.shutdown(socket.SHUT_WR)

        threading.Thread(target=serve, daemon=True).start()
        return here

    return dial


class Pipes:
    """Joins two links, and breaks the pipe between them after a random number of bytes."""

    def __init__(self, left: Link, right: Link, seed: int, longest: int) -> None:
        self.breaks = 0
        self._random = random.Random(seed)
        self._longest = longest
        self._ends = (left, right)
        self._closed = threading.Event()
        threading.Thread(target=self._keep, daemon=True).start()

    def close(self) -> None:
        self._closed.set()

    def _keep(self) -> None:
        while not self._closed.is_set():
            pair = socket.socketpair()
            left = self._random.randrange(1, self._longest)

            def write(chunk: bytes, end: socket.socket = pair[0], pair=pair, budget=[left]) -> None:  # noqa: B006
                kept = chunk[: budget[0]]
                budget[0] -= len(kept)
                end.sendall(kept)
                if budget[0] == 0:  # in the middle of a frame, most often
                    for half in pair:
                        half.shutdown(socket.SHUT_RDWR)
                    raise BrokenPipeError

            other = threading.Thread(target=self._ends[1].attach, args=(pair[1].recv, pair[1].sendall), daemon=True)
            other.start()
            self._ends[0].attach(pair[0].recv, write)
            for half in pair:
                half.close()
            other.join()
            self.breaks += 1


def sent_and_returned(link: Link, content: bytes) -> bytes:
    here, there = socket.socketpair()
    link.carry(there)

    def send() -> None:
        here.sendall(content)
        here.shutdown(socket.SHUT_WR)

    threading.Thread(target=send, daemon=True).start()
    here.settimeout(30)
    returned = bytearray()
    while chunk := here.recv(65536):
        returned += chunk
    return bytes(returned)


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_lost_or_doubled_over_broken_pipes(seed):
    left, right = Link(), Link(echo())
    pipes = Pipes(left, right, seed, longest=500_000)
    contents = [random.Random(seed + i).randbytes(400_000) for i in range(4)]
    results: dict[int, bytes] = {}
    threads = [
        threading.Thread(target=lambda i=i, c=c: results.update({i: sent_and_returned(left, c)}), daemon=True)
        for i, c in enumerate(contents)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    pipes.close()
    assert [results.get(i) == content for i, content in enumerate(contents)] == [True] * 4
    assert pipes.breaks >= 3


def test_what_is_sent_before_there_is_a_pipe_waits_for_one():
    left, right = Link(), Link(echo())
    results: list[bytes] = []
    thread = threading.Thread(target=lambda: results.append(sent_and_returned(left, b"early")), daemon=True)
    thread.start()
    time.sleep(0.2)
    assert results == []
    pipes = Pipes(left, right, 0, longest=10**9)
    thread.join(10)
    pipes.close()
    assert results == [b"early"]


def test_a_new_process_at_the_other_side_ends_old_streams_and_serves_new_ones():
    left = Link()
    first = Pipes(left, Link(echo()), 0, longest=10**9)
    here, there = socket.socketpair()
    left.carry(there)
    here.sendall(b"x")
    assert here.recv(1) == b"x"
    first.close()
    pair = socket.socketpair()
    threading.Thread(target=Link(echo()).attach, args=(pair[1].recv, pair[1].sendall), daemon=True).start()
    # The old pipe is closed by its owner when a new one comes, see Gate; here its thread is simply left behind.
    left._one_pipe = threading.Lock()
    threading.Thread(target=left.attach, args=(pair[0].recv, pair[0].sendall), daemon=True).start()
    here.settimeout(10)
    assert here.recv(1) == b""
    assert sent_and_returned(left, b"again") == b"again"


def test_a_dial_that_is_refused_ends_the_stream():
    def refuse() -> socket.socket:
        raise ConnectionRefusedError

    left, right = Link(), Link(refuse)
    pipes = Pipes(left, right, 0, longest=10**9)
    assert sent_and_returned(left, b"") == b""
    pipes.close()
