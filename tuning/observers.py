"""How the record, the progress view and anything else hang on to a sweep without the loop knowing them."""

from __future__ import annotations

from typing import Protocol

from tuning.results.fold_score import FoldScore
from tuning.results.sweep_result import SweepResult
from tuning.spec.sweep_spec import SweepSpec


class Observer(Protocol):
    """Watches one sweep.

    Order
        ``started`` once, then ``scored`` for every fold of every candidate as it ends, then ``ended`` once if the
        sweep came to its end; ``ended`` is not called when it is interrupted or an engine is lost.
    Thread
        All calls come from the thread that runs the sweep, one at a time. A slow observer slows the sweep's
        bookkeeping, not its fits; one that talks to a network should hand the work to a thread of its own.
    Failure
        What an observer raises ends the sweep.
    """

    def started(self, spec: SweepSpec, n_candidates: int | None, n_folds: int) -> None:
        """The sweep begins; `n_candidates` is None where the strategy does not know it beforehand."""

    def scored(self, scores: list[FoldScore]) -> None:
        """These fits have just ended: one call per finished unit of work, and one for many that are ``reused``."""

    def ended(self, result: SweepResult) -> None:
        """Every candidate has been judged."""
