"""The cores of this machine: threads or processes, as the learner says.

Libraries that let go of the interpreter lock while they train share one copy of the data among threads. Other
estimators hold the lock, so they run in processes that map the workload from one file. A fit that is suspected of
having ended its process once has one to itself, whatever its learner.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from loky import cpu_count

from tuning.engines.ledger import Ledger
from tuning.engines.processes import Processes
from tuning.engines.threads import Threads
from tuning.learners import learner_for
from tuning.plan import Fit
from tuning.results.fold_score import FoldScore
from tuning.workload import Workload


class LocalEngine:
    """The cores of this machine.

    Parameters
    ----------
    cores : int
        Fits that run side by side; 0 for all cores that this process may use.
    """

    name = "local"

    def __init__(self, cores: int = 0) -> None:
        self.workers = cores or int(cpu_count())
        self.ledger = Ledger()
        self.began: Callable[[Fit], None] | None = None
        self._pool: Threads | Processes | None = None
        self._apart: Processes | None = None

    def open(self, workload: Workload) -> None:
        """Choose threads or processes for the workload's estimator and start them; on graphics cards, one fit each."""
        self._workload = workload
        learner = learner_for(workload.estimator)
        if learner.place(workload.estimator, workload.data.n_values) == "processes":
            self._pool = Processes(workload, self.workers, self.ledger)
            return
        cards = learner.devices(workload.estimator)
        self.workers = len(cards) or self.workers
        self._pool = Threads(workload, self.workers, cards, self.ledger, self.began)

    def submit(self, fit: Fit) -> Future[list[FoldScore]]:
        """Queue one fit."""
        assert self._pool is not None, "open() comes first"
        if not fit.apart or isinstance(self._pool, Processes):
            return self._pool.submit(fit)
        if self._apart is None:
            self._apart = Processes(self._workload, 1, self.ledger)
        return self._apart.submit(fit)

    def give_up(self, reason: str) -> None:
        """End the fits that run, which fail for `reason`."""
        for pool in (self._pool, self._apart):
            if pool is not None:
                pool.give_up(reason)

    def close(self, cancel: bool = False) -> None:
        """End the workers; with `cancel`, without finishing what they do."""
        for pool in (self._pool, self._apart):
            if pool is not None:
                pool.close(cancel)
        self._pool = self._apart = None
