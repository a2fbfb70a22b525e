"""What a backend shows: its own sentences on stderr, the job's log on stdout, where a local job's would be."""

from __future__ import annotations

import sys


def say(sentence: str) -> None:
    """Tell the person at the terminal what is going on."""
    print(sentence, file=sys.stderr, flush=True)


def show(chunk: bytes) -> None:
    """Write a piece of the job's log."""
    sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()
