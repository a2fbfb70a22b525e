"""The contract of an engine: run these fits somewhere, yield each as it ends.

The shape is that of ``concurrent.futures``, not of ``joblib.Parallel``. That can yield results as they end
(``return_as="generator_unordered"``), but one worker that dies ends the whole call, where we want one candidate's
failure; and a call has no handle for each fit, by which it is tried again alone, ended when it takes too long, or
followed.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

from tuning.engines.ledger import Ledger
from tuning.plan import Fit
from tuning.results.fold_score import FoldScore
from tuning.workload import Workload


class Engine(Protocol):
    """Runs fits somewhere and gives back their scores.

    Data
        ``open`` is called once, before any ``submit``; it takes the workload (matrix, target, folds, estimator,
        scorers) and makes it reachable by every worker at the price of at most one copy per worker.
    Order
        Fits start in the order of submission, those that are tried again aside; futures may end in any order.
    Failure
        Whatever a fit does ends its future normally, with what it did in the error of its FoldScores: it raises
        anything, ends its process, needs more memory than there is, or takes longer than the workload's
        ``max_fit_time``. The engine goes on, with another worker where one is lost. Where several candidates share
        what failed so, each is tried by itself, so that only the guilty one fails. A future that raises means that
        the engine itself is lost, or, by CancelledError, that the fit was dropped.
    Suspects
        A fit that is ``apart`` has ended its process, maybe this one, in an earlier sweep. It is run where it can end
        nothing but a worker of its own, and fails if it does.
    Threads
        ``submit`` may be called from several threads. Futures call back on a thread of the engine's.
    Progress
        ``ledger`` says at any moment what waits, what runs and how far it is, and what the ended fits have taken.
    Began
        Where ``began`` is set before ``open``, it is called with each fit that starts in this very process, on the
        thread that runs it. Fits elsewhere cannot take this process down, so nobody needs to hear of them.
    Interrupt
        ``give_up`` ends what runs and returns at once; those fits' futures end with its reason for their error, and
        more fits may be submitted. ``close(cancel=True)`` drops the fits that have not started and returns when no
        worker runs this sweep's work any more, within ten seconds: a thread that does not end by then is left behind.
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

    def give_up(self, reason: str) -> None:
        """End the fits that run, which fail for `reason`."""

    def close(self, cancel: bool = False) -> None:
        """Let go of workers and data; with `cancel`, of the fits still to run."""
