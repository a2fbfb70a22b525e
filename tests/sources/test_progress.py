"""A bar for a person at a terminal, plain lines for a log."""

from __future__ import annotations

import io
import os
import pty
import threading

import pytest
from rich.console import Console

from sources.progress import Bars, Lines, Silence, to_terminal


class Heard(io.StringIO):
    """Wakes who waits for a line."""

    def __init__(self):
        super().__init__()
        self.written = threading.Condition()

    def write(self, text):
        with self.written:
            self.written.notify_all()
            return super().write(text)

    def waits_for(self, line):
        with self.written:
            return self.written.wait_for(lambda: line in self.getvalue(), timeout=30)


def test_a_log_gets_plain_lines_and_no_control_characters():
    stream = io.StringIO()
    with to_terminal(stream).step("Downloading", 2_000_000, "bytes") as advance:
        advance(1_000_000)
        advance(1_000_000)
    [line] = stream.getvalue().splitlines()
    assert line.startswith("Downloading: 2.0 MB in ")
    assert "\x1b" not in stream.getvalue()
    assert "\r" not in stream.getvalue()


def test_a_long_step_says_now_and_then_how_far_it_is():
    stream = Heard()
    with Lines(stream, seconds_between_lines=0.001).step("Generating", 4, "tables") as advance:
        advance(1)
        assert stream.waits_for("Generating: 25% of 4 tables after")
        advance(2)
        assert stream.waits_for("Generating: 75% of 4 tables after")


def test_a_failed_step_does_not_claim_to_have_ended():
    stream = io.StringIO()
    with pytest.raises(ValueError, match="x"), Lines(stream).step("Downloading", 10, "bytes"):
        raise ValueError("x")
    assert stream.getvalue() == ""


def test_a_terminal_gets_a_bar():
    leader, follower = pty.openpty()
    with os.fdopen(follower, "w") as terminal:
        assert isinstance(to_terminal(terminal), Bars)
    os.close(leader)


def test_a_bar_reaches_its_end():
    stream = io.StringIO()
    with Bars(Console(file=stream, force_terminal=True, width=100)).step("Downloading", 2_000_000, "bytes") as advance:
        advance(2_000_000)
    assert "2.0/2.0 MB" in stream.getvalue()


@pytest.mark.parametrize("progress", [Silence(), Lines(io.StringIO()), Bars(Console(file=io.StringIO()))])
def test_threads_may_advance_one_step_together(progress):
    with progress.step("Downloading", 4000, "bytes") as advance:
        threads = [threading.Thread(target=lambda: [advance(1) for _ in range(1000)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
