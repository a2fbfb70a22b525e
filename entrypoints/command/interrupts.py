"""Ctrl-C, ``kill``, a closed terminal and the end of ``mlflow run``, all as one exception, so that one clean-up serves.

Python turns only SIGINT into an exception; on SIGTERM and SIGHUP it dies on the spot and leaves runs RUNNING for ever.
And it raises that exception when the main thread is back in Python: a fit in compiled code, or a store that does not
answer, may keep it for minutes. So a thread hears of signals too, by the descriptor that Python's own handler writes
to, and when the clean-up is not done in time it does what little must be done, and ends the process.

Where the main thread happens to be in a finalizer, Python ignores what is raised there: it is raised again after it.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from types import FrameType

from entrypoints.command.launcher import Launcher

_SIGNALS = [each for each in signal.Signals if each.name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")]
_CLEAN_UP = 8.0  # seconds; with the last resort's, less than the ten that a person is promised
_LAST_RESORT = 1.5
_LOOK = 1.0
_AFTER_FINALIZER = 0.05


class Interrupted(KeyboardInterrupt):
    """Someone wants this process to end; a KeyboardInterrupt, so that no ``except Exception`` swallows it."""

    def __init__(self, signum: int, reason: str = "") -> None:
        super().__init__(f"signal {signum}")
        self.signal = signal.Signals(signum)
        self.reason = reason or self.signal.name


LastResort = Callable[[Interrupted], None]


@contextmanager
def raised(last_resort: LastResort | None = None) -> Iterator[None]:
    """Raise Interrupted in the main thread on the first signal, and let the clean-up that follows finish.

    ``mlflow run`` answers Ctrl-C with a SIGTERM to this process, which has had the terminal's SIGINT already: whatever
    comes second is therefore ignored, except a second Ctrl-C, which a person means.

    Parameters
    ----------
    last_resort : callable, optional
        Called in another thread, and given a second, where the clean-up does not end in time or a second Ctrl-C cuts it
        short; then the process ends. Without one nobody but the main thread sees to anything.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    watch = _Watch(last_resort) if last_resort else None
    handler = _Handler(watch)
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, old in before.items():
        if old is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, handler)
    sys.unraisablehook = handler.ignored
    try:
        with watch or nullcontext():
            yield
    finally:
        sys.unraisablehook = handler.hook_before
        for number, old in before.items():
            signal.signal(number, old)


class _Handler:
    """What Python calls in the main thread, when that is back in Python."""

    def __init__(self, watch: _Watch | None) -> None:
        self._watch = watch
        self._first = 0
        self.hook_before = sys.unraisablehook

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        self._first = self._first or signum
        for number in _SIGNALS:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_IGN)
        close_lost_streams()
        raise Interrupted(self._first, self._watch.reason if self._watch else "")

    def ignored(self, unraisable: sys.UnraisableHookArgs) -> None:
        """Hear of an exception that Python ignores, since nobody could catch it; an interruption is raised again."""
        if not isinstance(unraisable.exc_value, Interrupted):
            self.hook_before(unraisable)
            return
        signal.signal(signal.SIGTERM, self)  # not SIGINT, which the watch would take for a second Ctrl-C
        again = threading.Timer(_AFTER_FINALIZER, _terminate_this_process)
        again.daemon = True
        again.start()


class _Watch:
    """A thread that hears of signals however busy the main thread is, and of the end of ``mlflow run``."""

    def __init__(self, last_resort: LastResort) -> None:
        self.reason = ""
        self._last_resort = last_resort
        self._launcher = Launcher.of_this_process()
        self._heard, self._waker = socket.socketpair()  # Windows' select knows nothing else
        self._waker.setblocking(False)
        self._ends_at: float | None = None
        self._first = 0
        self._done = threading.Event()

    def __enter__(self) -> None:
        self._before = signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        threading.Thread(target=self._run, name="interrupt-watch", daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        signal.set_wakeup_fd(self._before)
        self._waker.send(b"\0")

    def _run(self) -> None:
        while not self._done.is_set():
            if select.select([self._heard], [], [], self._patience())[0]:
                for signum in self._heard.recv(64):
                    self._hear(signum)
            elif self._ends_at is None:
                self._look_for_launcher()
            if self._ends_at is not None and time.monotonic() >= self._ends_at and not self._done.is_set():
                self._end()
        for end in (self._heard, self._waker):
            end.close()

    def _patience(self) -> float | None:
        if self._ends_at is not None:
            return max(0.0, self._ends_at - time.monotonic())
        return _LOOK if self._launcher else None

    def _hear(self, signum: int) -> None:
        if signum not in _SIGNALS:
            return
        if not self._first:
            self._first, self._ends_at = signum, time.monotonic() + _CLEAN_UP
        elif signum == signal.SIGINT:
            self._ends_at = time.monotonic()

    def _look_for_launcher(self) -> None:
        if self._launcher and not self._launcher.lives():
            self._launcher, self.reason = None, "mlflow run, which began it, has ended"
            _terminate_this_process()

    def _end(self) -> None:
        """End the process, after the least that there is to do."""
        interrupted = Interrupted(self._first, self.reason)
        doing = threading.Thread(target=self._do_least, args=(interrupted,), name="last-resort", daemon=True)
        doing.start()
        doing.join(_LAST_RESORT)
        os._exit(128 + self._first)

    def _do_least(self, interrupted: Interrupted) -> None:
        close_lost_streams()
        with suppress(BaseException):
            self._last_resort(interrupted)


def _terminate_this_process() -> None:
    """Send SIGTERM to this process, from any of its threads."""
    if sys.platform == "win32":  # where os.kill ends a process on the spot
        signal.raise_signal(signal.SIGTERM)
    else:
        os.kill(os.getpid(), signal.SIGTERM)


def close_lost_streams() -> None:
    """Let what is still printed go nowhere where nobody reads it any more: a closed terminal, a pipe without an end."""
    if sys.platform == "win32":  # ends such a process by itself
        return
    for stream in (1, 2):
        with suppress(OSError):
            poll = select.poll()
            poll.register(stream, 0)
            if any(event & (select.POLLERR | select.POLLHUP | select.POLLNVAL) for _, event in poll.poll(0)):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream)
                os.close(nowhere)
