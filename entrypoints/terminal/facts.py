"""All that there is to say of a sweep at one moment, gathered from the tally and from the engine's ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from entrypoints.terminal.tally import Standing, Tally, duration, span
from tuning.candidates import Candidate
from tuning.engines.base import Engine
from tuning.engines.ledger import Running, State
from tuning.outlook import Rung, ahead, ladder
from tuning.pace import Range
from tuning.spec.sweep_spec import SweepSpec

_REFIT_SPREAD = 1.2


@dataclass(frozen=True)
class Facts:
    """One moment of a sweep.

    Attributes
    ----------
    tally : Tally
    elapsed : float
        Seconds since the sweep began.
    workers : int
    running : sequence of Running
        Fits that workers have, the longest first.
    n_waiting : int
    at : float
        On the clock of `running`.
    left : Range or None
        Seconds until the winner is refitted; None where it cannot be told yet.
    rungs : sequence of Rung
    leaders : sequence of Standing
    """

    tally: Tally
    elapsed: float
    workers: int
    running: Sequence[Running]
    n_waiting: int
    at: float
    left: Range | None
    rungs: Sequence[Rung]
    leaders: Sequence[Standing]

    @property
    def has_ended(self) -> bool:
        """Whether all that was asked for has ended."""
        return self.tally.n_done > 0 and not self.running and not self.n_waiting

    def left_words(self) -> str:
        """Say how long it goes on; empty where that cannot be told."""
        return "" if self.left is None or self.has_ended else f"{span(self.left)} left"

    def rungs_words(self) -> str:
        """Say who survives, rung by rung; those that have not begun with the most that can come so far."""
        return ", ".join(
            f"{'' if rung.asked else 'at most ' if rung.share < 1 else ''}{rung.candidates:,} on {rung.where}"
            for rung in self.rungs
        )


def gather(spec: SweepSpec, tally: Tally, engine: Engine, elapsed: float) -> Facts:
    """Gather what there is to say now."""
    state = engine.ledger.state()
    counts = _most(engine.ledger.counts(), tally.tried)
    return Facts(
        tally,
        elapsed,
        engine.workers,
        state.running[: engine.workers],
        round(state.waiting.n) + max(0, len(state.running) - engine.workers),
        state.at,
        _left(spec, tally, engine.workers, state, counts),
        ladder(spec, tally.n_folds, counts),
        tally.leaders(),
    )


def _most(
    first: Mapping[tuple[float, int], int], second: Mapping[tuple[float, int], int]
) -> Counter[tuple[float, int]]:
    return Counter(first) | Counter(second)


def _left(
    spec: SweepSpec, tally: Tally, workers: int, state: State, counts: Mapping[tuple[float, int], int]
) -> Range | None:
    """Add to the fits that remain those that will yet be asked for, those to be repeated, and the refit."""
    fits = state.left(workers, ahead(spec, tally.n_candidates, tally.n_folds, counts, state))
    if fits is None:
        return None
    repeated = state.pace.foretell(state.cell.times(spec.verify)).over(workers) if state.pace else Range()
    return fits + repeated + _refit(tally, workers, state)


def _refit(tally: Tally, workers: int, state: State) -> Range:
    """The winner's training on all rows, with more threads that help more or less."""
    best = tally.best
    if best is None:
        one = state.pace.foretell(state.cell) if state.pace else Range()
        return Range(one.low / workers, one.high)
    more_rows = tally.n_folds / max(1, tally.n_folds - 1)
    seconds = more_rows * tally.fit_seconds[best[1]]
    return Range(seconds / workers, _REFIT_SPREAD * seconds)


def running_words(each: Running, at: float) -> str:
    """Say what a worker does: the fold, the round, since when."""
    rounds = f" at round {each.rounds[0]:,} of {each.rounds[1]:,}" if each.rounds else ""
    return f"fold {each.fit.fold}{rounds} after {duration(at - each.began)}"


def name_of(candidate: Candidate) -> str:
    """What the candidate is called on the terminal."""
    return candidate.name
