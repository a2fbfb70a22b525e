"""A step that has stages and no count of its own: features, the winner, a score."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

from entrypoints.terminal.console import is_lively, say, to_person
from entrypoints.terminal.lines import Gaps
from entrypoints.terminal.screen import Screen, one_line, wheel
from entrypoints.terminal.tally import duration, span
from entrypoints.terminal.ticker import Ticker
from tuning.pace import Range

_SAID_AFTER = 2.0  # seconds: what ends sooner is not worth a line


class Stages:
    """Remembers the stage, since when, and how far it is; call it to begin the next one.

    Parameters
    ----------
    step : str
    clock : callable
        Returns seconds.

    Attributes
    ----------
    stage : str
    """

    def __init__(self, step: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.step = step
        self._clock = clock
        self._began = clock()
        self.stage = ""
        self._rounds: tuple[int, int] | None = None

    def __call__(self, stage: str) -> None:
        """Begin `stage`."""
        self.stage, self._began, self._rounds = stage, self._clock(), None

    def at_round(self, done: int, of: int) -> None:
        """Hear that the training of this stage has come so far."""
        self._rounds = done, of

    @property
    def seconds(self) -> float:
        """Since the stage began."""
        return self._clock() - self._began

    def words(self) -> str:
        """Say all of it in a line."""
        rounds = self._rounds
        parts = [f"{self.step}: {self.stage}" if self.stage else self.step]
        if rounds:
            parts.append(f"round {rounds[0]:,} of {rounds[1]:,}")
        if self.seconds >= _SAID_AFTER:
            parts.append(duration(self.seconds))
        if rounds and 1 < rounds[0] < rounds[1] and self.seconds >= _SAID_AFTER:
            left = self.seconds * (rounds[1] - rounds[0]) / rounds[0]
            parts.append(f"{span(Range(0.9 * left, 1.1 * left))} left")
        return ", ".join(parts)


@contextmanager
def stages(step: str, console: Console | None = None) -> Iterator[Stages]:
    """Show which stage a step is in, and how long it has been: a line that is redrawn, else lines now and then."""
    console = console or to_person()
    shown = Stages(step)
    if is_lively(console):
        with Screen(console, lambda: one_line(f"{wheel()} {shown.words()}"), stays=False):
            yield shown
        return
    gaps, said = Gaps(), ""

    def tick() -> None:
        nonlocal said
        stage = shown.stage
        if gaps.is_due(stage != said):
            said = stage
            say(console, shown.words())

    with Ticker(tick):
        yield shown
