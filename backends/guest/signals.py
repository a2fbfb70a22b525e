"""How the wish to stop reaches a job: a container's signals, or a word that is left for the driver."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_SECONDS_BETWEEN_LOOKS = 1.0


def forward(job: subprocess.Popen[bytes]) -> None:
    """Hand SIGTERM and SIGINT on to the job and all that it has started."""
    if sys.platform == "win32":
        raise NotImplementedError("only the user's side may be Windows")

    def hand_on(number: int, frame: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(job.pid, number)

    signal.signal(signal.SIGTERM, hand_on)
    signal.signal(signal.SIGINT, hand_on)


@contextmanager
def stoppable(asked: Callable[[], bool]) -> Iterator[None]:
    """Interrupt the main thread, as Ctrl-C would, once `asked` says so; it may raise OSError, and is asked again."""
    if sys.platform == "win32":
        raise NotImplementedError("only the user's side may be Windows")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a service may have started us with it ignored
    ended = threading.Event()
    main_thread = threading.main_thread().ident or 0

    def look() -> None:
        while not ended.wait(_SECONDS_BETWEEN_LOOKS):
            with suppress(OSError):
                if asked():
                    signal.pthread_kill(main_thread, signal.SIGINT)
                    return

    threading.Thread(target=look, daemon=True).start()
    try:
        yield
    finally:
        ended.set()
