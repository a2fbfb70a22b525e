"""What a backend shows: its own sentences on stderr, the job's log on stdout, where a local job's would be."""

from __future__ import annotations

import sys


class _Screen:
    """Knows whether the log has stopped within a line, which a sentence must not continue."""

    def __init__(self) -> None:
        self.is_within_line = False

    def say(self, sentence: str) -> None:
        if self.is_within_line:
            self.show(b"\n")
        print(sentence, file=sys.stderr, flush=True)

    def show(self, chunk: bytes) -> None:
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
        self.is_within_line = bool(chunk) and not chunk.endswith(b"\n")


_SCREEN = _Screen()


def say(sentence: str) -> None:
    """Tell the person at the terminal what is going on."""
    _SCREEN.say(sentence)


def show(chunk: bytes) -> None:
    """Write a piece of the job's log."""
    _SCREEN.show(chunk)
