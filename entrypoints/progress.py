"""What a person sees while a sweep runs.

A bar on a terminal, by rich; elsewhere (a log file, CI, a remote backend's stream) plain lines at intervals, since a
bar redrawn there would bury the log. Both are written to stderr: stdout carries results only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from entrypoints.tally import Tally
from tuning.results.sweep_result import FoldScore, SweepResult
from tuning.search import may_stop
from tuning.spec.sweep_spec import SweepSpec

PLAIN_SECONDS = 2.0


@contextmanager
def stages(step: str, console: Console | None = None) -> Iterator[Callable[[str], None]]:
    """Give a function that shows which stage a step is in: a spinner on a terminal, else lines now and then."""
    console = console or Console(stderr=True)
    if console.is_terminal:
        with console.status(step) as status:
            yield lambda stage: status.update(f"{step}: {stage}")
        return
    shown_at = time.monotonic()

    def show(stage: str) -> None:
        nonlocal shown_at
        if time.monotonic() - shown_at >= PLAIN_SECONDS:
            shown_at = time.monotonic()
            console.print(f"{step}: {stage}", soft_wrap=True, highlight=False, markup=False)

    yield show


class View(Protocol):
    """One way of showing a tally; ``show`` is called after every fit, with `last` when the sweep has ended."""

    def show(self, tally: Tally, elapsed: float, last: bool) -> None:
        """Show how far the sweep is after `elapsed` seconds."""

    def close(self) -> None:
        """Leave the terminal as it was found."""


class SweepProgress:
    """An observer that shows a sweep's progress; a context manager, so that an interrupt leaves the terminal clean.

    Parameters
    ----------
    console : rich.console.Console, optional
        By default stderr.
    clock : callable
        Returns seconds.
    """

    def __init__(self, console: Console | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        console = console or Console(stderr=True)
        self._view: View = BarView(console) if console.is_terminal else LineView(console)
        self._clock = clock
        self._tally: Tally
        self._began: float

    def __enter__(self) -> SweepProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._view.close()

    def started(self, spec: SweepSpec, n_candidates: int | None, n_folds: int) -> None:
        """Begin to count."""
        self._tally = Tally(n_candidates, n_folds, spec.refit_scorer, may_stop(spec))
        self._began = self._clock()
        self._show()

    def scored(self, scores: list[FoldScore]) -> None:
        """Count fits that have ended."""
        self._tally.add(scores)
        self._show()

    def ended(self, result: SweepResult) -> None:
        """Show the last state."""
        self._show(last=True)

    def _show(self, last: bool = False) -> None:
        self._view.show(self._tally, self._clock() - self._began, last)


class LineView:
    """A plain line at most every ``PLAIN_SECONDS``, and one at the end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown_at = 0.0
        self._n_shown = -1

    def show(self, tally: Tally, elapsed: float, last: bool) -> None:
        """Print a line if it is time to and there is news."""
        if (last or elapsed - self._shown_at >= PLAIN_SECONDS) and tally.n_done != self._n_shown:
            self._shown_at, self._n_shown = elapsed, tally.n_done
            parts = [tally.counts(), tally.standing(), tally.left(elapsed)]
            self._console.print("sweep:", ", ".join(filter(None, parts)), soft_wrap=True, highlight=False, markup=False)

    def close(self) -> None:
        """Nothing to tidy."""


class BarView:
    """A bar with the counts and, under it, the best so far."""

    def __init__(self, console: Console) -> None:
        self._bar = _BestUnderBar(
            TextColumn("sweep"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[counts]}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
        )

    def show(self, tally: Tally, elapsed: float, last: bool) -> None:
        """Redraw the bar."""
        if not self._bar.tasks:
            self._bar.add_task("", total=tally.n_total, counts="", left="")
            self._bar.start()
        self._bar.standing = tally.standing()
        self._bar.update(
            self._bar.task_ids[0], completed=tally.n_done, counts=tally.counts(), left=tally.left(elapsed), refresh=last
        )

    def close(self) -> None:
        """Stop redrawing; the last state stays on the screen."""
        self._bar.stop()


class _BestUnderBar(Progress):
    standing = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        """Draw the bar, then the best so far."""
        yield self.make_tasks_table(self.tasks)
        if self.standing:
            yield Text(f"      {self.standing}", overflow="ellipsis", no_wrap=True)
