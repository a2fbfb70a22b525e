"""The contract of an engine: run these fits somewhere, yield each as it ends.

The shape is that of ``concurrent.futures``, not of joblib: joblib hands results back in the order of submission or not
before a batch is over, and a live record needs each one as it ends.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

from tuning.engines.ledger import Ledger
from tuning.plan import Fit, Workload
from tuning.results.sweep_result import FoldScore


class Engine(Protocol):
    """Runs fits somewhere and gives back their scores.

    Data
        ``open`` is called once, before any ``submit``; it takes the workload (matrix, target, folds, estimator,
        scorers) and makes it reachable by every worker at the price of at most one copy per worker.
    Order
        Fits start in the order of submission; futures may end in any order. A fit that raises ends its future
        normally, with the error in its FoldScores; a future that raises means that the engine itself is lost.
    Threads
        ``submit`` may be called from several threads. Futures call back on a thread of the engine's.
    Progress
        ``ledger`` says at any moment what waits, what runs and how far it is, and what the ended fits have taken.
    Began
        Where ``began`` is set before ``open``, it is called with each fit that starts in this very process, on the
        thread that runs it. Fits elsewhere cannot take this process down, so nobody needs to hear of them.
    Interrupt
        ``close(cancel=True)`` drops the fits that have not started and returns only when no worker runs this
        sweep's work any more.
    """

    name: str
    ledger: Ledger
    began: Callable[[Fit], None] | None

    @property
    def workers(self) -> int:
        """Fits that can run side by side now."""

    def open(self, workload: Workload) -> None:
        """Make the workload reachable by every worker."""

    def submit(self, fit: Fit) -> Future[list[FoldScore]]:
        """Queue one fit."""

    def close(self, cancel: bool = False) -> None:
        """Let go of workers and data; with `cancel`, of the fits still to run."""
