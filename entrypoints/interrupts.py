"""Ctrl-C, ``kill`` and a closed terminal, all as one exception, so that one clean-up serves them.

Python turns only SIGINT into an exception; on SIGTERM and SIGHUP it dies on the spot and leaves runs RUNNING for ever.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """Someone wants this process to end; a KeyboardInterrupt, so that no ``except Exception`` swallows it."""

    def __init__(self, signum: int) -> None:
        super().__init__(f"signal {signum}")
        self.signal = signal.Signals(signum)


@contextmanager
def raised() -> Iterator[None]:
    """Raise Interrupted in the main thread on the first signal, and let the clean-up that follows finish.

    ``mlflow run`` answers Ctrl-C with a SIGTERM to this process, which has had the terminal's SIGINT already: whatever
    comes second is therefore ignored, except a second Ctrl-C, which a person means.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    raise Interrupted(signum)
