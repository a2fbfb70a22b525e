"""How a long step of this room tells a person that it is alive.

On a terminal a bar that disappears when the step ends; anywhere else (a log file, a notebook's captured output, CI) a
plain line now and then, because a redrawn bar fills a log with control characters.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Literal, Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichBars

Unit = Literal["bytes", "tables"]
Advance = Callable[[int], None]

_SECONDS_BETWEEN_LINES = 9.0


class Progress(Protocol):
    """Shows how far a step has come.

    Step
        ``with progress.step("Downloading", total, "bytes") as advance`` brackets one step; ``advance(n)`` says that `n`
        more of the `total` are done. Steps do not nest.
    Threads
        ``advance`` may be called from several threads at once.
    """

    def step(self, title: str, total: int, unit: Unit) -> AbstractContextManager[Advance]:
        """Begin a step of `total` bytes or tables."""


class Silence:
    """Shows nothing."""

    @contextmanager
    def step(self, title: str, total: int, unit: Unit) -> Iterator[Advance]:
        """Begin a step that nobody watches."""
        yield lambda amount: None


class Bars:
    """A bar on a terminal, gone when its step ends."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def step(self, title: str, total: int, unit: Unit) -> Iterator[Advance]:
        """Draw a bar for the step."""
        amount_column: ProgressColumn = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
        columns = (TextColumn("{task.description}"), BarColumn(), amount_column, TimeRemainingColumn())
        with RichBars(*columns, console=self._console, transient=True) as bars:
            task = bars.add_task(title, total=total)
            yield lambda amount: bars.advance(task, amount)


class Lines:
    """A plain line every nine seconds, whether or not anything has come meanwhile, and one when the step ends."""

    def __init__(self, stream: TextIO, seconds_between_lines: float = _SECONDS_BETWEEN_LINES) -> None:
        self._stream = stream
        self._seconds_between_lines = seconds_between_lines

    @contextmanager
    def step(self, title: str, total: int, unit: Unit) -> Iterator[Advance]:
        """Write lines for the step."""
        started = time.monotonic()
        done = 0
        lock, over = threading.Lock(), threading.Event()

        def advance(amount: int) -> None:
            nonlocal done
            with lock:
                done += amount

        def go_on() -> None:
            while not over.wait(self._seconds_between_lines):
                so_far = f"{done / max(1, total):.0%} of {_amount(total, unit)}"
                self._say(f"{title}: {so_far} after {time.monotonic() - started:.0f} s")

        lines = threading.Thread(target=go_on, name="progress", daemon=True)
        lines.start()
        try:
            yield advance
        finally:
            over.set()
            lines.join()
        self._say(f"{title}: {_amount(total, unit)} in {time.monotonic() - started:.1f} s")

    def _say(self, line: str) -> None:
        print(line, file=self._stream, flush=True)


def to_terminal(stream: TextIO | None = None) -> Progress:
    """Return bars if `stream` (by default standard error) is a terminal, plain lines if not."""
    stream = stream or sys.stderr
    console = Console(file=stream)
    return Bars(console) if console.is_terminal else Lines(stream)


def _amount(total: int, unit: Unit) -> str:
    return f"{total / 1e6:,.1f} MB" if unit == "bytes" else f"{total} tables"
