"""What a person sees while a sweep runs: a picture on a terminal, plain lines elsewhere; both are written to stderr.

Drawn from what the engine's ledger says at that moment, on a thread of its own: a sweep whose first fit takes minutes
is as alive as one of ten thousand short ones.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType

from entrypoints.terminal.board import board
from entrypoints.terminal.console import is_lively, say, to_person
from entrypoints.terminal.facts import Facts, gather, running_words
from entrypoints.terminal.lines import Gaps
from entrypoints.terminal.memory import Memory
from entrypoints.terminal.screen import Screen, one_line, wheel
from entrypoints.terminal.tally import Tally, duration
from entrypoints.terminal.ticker import Ticker
from tuning.engines.base import Engine
from tuning.results.fold_score import FoldScore
from tuning.results.sweep_result import SweepResult
from tuning.search import may_stop
from tuning.spec.sweep_spec import SweepSpec


class SweepProgress:
    """An observer that shows a sweep's progress, as long as its ``with`` block lasts.

    Parameters
    ----------
    engine : Engine
        Whose fits they are.
    console : rich.console.Console, optional
        By default stderr.
    clock : callable
        Returns seconds.
    """

    def __init__(
        self, engine: Engine, console: Console | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._engine = engine
        self._console = console or to_person()
        self._clock = clock
        self._lock = threading.Lock()
        self._began = clock()
        self._lively = is_lively(self._console)
        self._spec: SweepSpec | None = None
        self._tally: Tally
        self._over = False
        self._memory = Memory()
        self._shown = ExitStack()
        self._lines = _Lines(self._console, clock)

    def __enter__(self) -> Self:
        self._shown.enter_context(
            Screen(self._console, self.picture, stays=True) if self._lively else Ticker(self.tick)
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        self._shown.__exit__(kind, error, trace)

    def started(self, spec: SweepSpec, n_candidates: int | None, n_folds: int) -> None:
        """Begin to count."""
        with self._lock:
            self._spec = spec
            self._tally = Tally(n_candidates, n_folds, spec.refit_scorer, may_stop(spec))

    def scored(self, scores: list[FoldScore]) -> None:
        """Count fits that have ended."""
        with self._lock:
            self._tally.add(scores)

    def ended(self, result: SweepResult) -> None:
        """Show the last state."""
        self._over = True
        if not self._lively:
            with self._lock:
                self._lines.show(self._facts(), last=True)

    def tick(self) -> None:
        """Write a plain line if one is due."""
        with self._lock:
            if self._lively or self._over:
                return
            n_done = 0 if self._spec is None else self._tally.n_done
            if not self._lines.are_due(n_done):
                return
            if self._spec is None:
                say(self._console, f"sweep: starting, {duration(self._elapsed)}")
            else:
                self._lines.show(self._facts())

    def picture(self) -> RenderableType:
        """Return what a terminal shows at this moment."""
        if self._spec is None:
            return one_line(f"{wheel()} sweep: starting, {duration(self._elapsed)}")
        memory = self._memory.words(self._spec.budget.max_memory)
        with self._lock:
            return board(self._facts(), memory, at_work=not self._over)

    @property
    def _elapsed(self) -> float:
        return self._clock() - self._began

    def _facts(self) -> Facts:
        assert self._spec is not None, "started() comes first"
        return gather(self._spec, self._tally, self._engine, self._elapsed)


class _Lines:
    """Writes what has changed since the last line; where nothing has, what the longest fit does."""

    def __init__(self, console: Console, clock: Callable[[], float]) -> None:
        self._console = console
        self._gaps = Gaps(clock)
        self._n_shown = 0
        self._words = ""

    def are_due(self, n_done: int) -> bool:
        """Whether it is time for one."""
        return self._gaps.is_due(n_done > self._n_shown)

    def show(self, facts: Facts, last: bool = False) -> None:
        """Write a line; the last one says who leads whether or not that is new."""
        tally = facts.tally
        parts = [tally.counts()]
        if last or tally.n_done > self._n_shown:
            parts.append(tally.standing())
        elif facts.has_ended:
            parts.append("recording")
        elif facts.running:
            parts.append(f"running: {running_words(facts.running[0], facts.at)}")
        parts.append(facts.left_words())
        self._n_shown = tally.n_done
        words = ", ".join(filter(None, parts))
        if words != self._words:  # the last state may have been told already
            self._words = words
            say(self._console, f"sweep: {words}")
