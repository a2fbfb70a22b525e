"""The cores of this machine: threads or processes, as the learner says.

Libraries that let go of the interpreter lock while they train share one copy of the data among threads. Other
estimators hold the lock, so they run in processes that map the workload from one file. We use loky rather than the
standard library's process pool, which either forks a process that already runs threads or imports the main module again
in every worker.
"""

from __future__ import annotations

import ctypes
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import joblib
from loky import ProcessPoolExecutor, cpu_count
from threadpoolctl import threadpool_limits

from errors import EngineError
from tuning.engines.batches import Batches, timed
from tuning.engines.ledger import FitControl, Ledger
from tuning.fitting import run_fit
from tuning.learners import learner_for
from tuning.learners.keeper import FoldKeeper
from tuning.plan import Fit, Workload
from tuning.results.sweep_result import FoldScore
from tuning.warned import notes_kept


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
        self._pool: _Threads | _Processes | None = None

    def open(self, workload: Workload) -> None:
        """Choose threads or processes for the workload's estimator and start them; on graphics cards, one fit each."""
        learner = learner_for(workload.estimator)
        if learner.place(workload.estimator) == "processes":
            self._pool = _Processes(workload, self.workers, self.ledger)
            return
        cards = learner.devices(workload.estimator)
        self.workers = len(cards) or self.workers
        self._pool = _Threads(workload, self.workers, cards, self.ledger, self.began)

    def submit(self, fit: Fit) -> Future[list[FoldScore]]:
        """Queue one fit."""
        assert self._pool is not None, "open() comes first"
        self.ledger.submitted(fit)
        future = self._pool.submit(fit)
        future.add_done_callback(lambda ended: self.ledger.dropped(fit) if ended.cancelled() else None)
        return future

    def close(self, cancel: bool = False) -> None:
        """End the workers; with `cancel`, without finishing what they do."""
        if self._pool is not None:
            self._pool.close(cancel)
            self._pool = None


class _Threads:
    """Runs fits in threads, and controls them: they end when told to, and share idle cores in the tail.

    A library that has threads of its own and no parameter for them gets one: OpenMP keeps the number by thread, the
    libraries of linear algebra for the whole process.
    """

    def __init__(
        self,
        workload: Workload,
        workers: int,
        cards: Sequence[str],
        ledger: Ledger,
        began: Callable[[Fit], None] | None,
    ) -> None:
        self._workload = workload
        self._ledger = ledger
        self._began = began
        self._free_cards: SimpleQueue[str] | None = None
        if cards:
            self._free_cards = SimpleQueue()
            for card in cards:
                self._free_cards.put(card)
        self._keeper = FoldKeeper(workload, threads=True)
        self._cancelled = threading.Event()
        self._asks = learner_for(workload.estimator).asks_control
        self._fitting: set[int] = set()
        self._limits = threadpool_limits(1)
        self._notes = ExitStack()
        self._notes.enter_context(notes_kept())
        self._workers = workers
        self._waiting = self._running = 0
        self._counts = threading.Lock()
        self._executor: Executor = ThreadPoolExecutor(
            workers, thread_name_prefix="fit", initializer=threadpool_limits, initargs=(1,)
        )

    def submit(self, fit: Fit) -> Future[list[FoldScore]]:
        self._keeper.expect(fit)
        self._count(waiting=1)
        return self._executor.submit(self._run, fit)

    def _run(self, fit: Fit) -> list[FoldScore]:
        card = self._free_cards.get() if self._free_cards else None
        self._count(waiting=-1, running=1)
        self._ledger.began(fit)
        scores: list[FoldScore] = []
        try:
            if self._began is not None:
                self._began(fit)
            placed = fit if card is None else replace(fit, device=card)
            with self._keeper.in_use(fit), self._interruptible():
                scores = run_fit(self._workload, placed, self._keeper, FitControl(self, self._ledger, fit))
                return scores
        finally:
            self._count(running=-1)
            self._ledger.ended(fit, scores)
            if self._free_cards and card is not None:
                self._free_cards.put(card)

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Let ``close`` end what this thread does, between two steps of Python, where the learner does not ask."""
        me = threading.get_ident()
        with self._counts:
            self._fitting.add(me)
        try:
            yield
        finally:
            with self._counts:
                self._fitting.discard(me)

    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    def threads(self) -> int:
        """One while fits wait for a core; in the tail, an equal share of the cores."""
        with self._counts:
            return 1 if self._waiting > 0 else max(1, self._workers // max(1, self._running))

    def _count(self, waiting: int = 0, running: int = 0) -> None:
        with self._counts:
            self._waiting += waiting
            self._running += running

    def close(self, cancel: bool) -> None:
        if cancel:
            self._cancelled.set()
            with self._counts:
                for thread in () if self._asks else self._fitting:
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(CancelledError))
        self._executor.shutdown(wait=True, cancel_futures=cancel)
        self._limits.restore_original_limits()
        self._notes.close()


class _Processes:
    def __init__(self, workload: Workload, workers: int, ledger: Ledger) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="gridfold-workload-"))
        path = self._folder / "workload.joblib"
        joblib.dump(workload, path)
        self._executor = ProcessPoolExecutor(workers, initializer=_open_workload, initargs=(path,))
        self._executor.submit(_ready)  # workers start, which takes longer than a plan, while the driver plans
        self._batches = Batches(lambda fits: self._executor.submit(_run_in_worker, fits), workers, _lost, ledger)

    def submit(self, fit: Fit) -> Future[list[FoldScore]]:
        return self._batches.submit(fit)

    def close(self, cancel: bool) -> None:
        if cancel:
            self._batches.cancel()
        else:
            self._batches.wait()
        self._executor.shutdown(wait=True, kill_workers=cancel)
        shutil.rmtree(self._folder, ignore_errors=True)


def _lost(error: BaseException) -> BaseException:
    """Say what a pool without its processes means; what else it raises stays as it is."""
    if not isinstance(error, BrokenExecutor):
        return error
    lost = EngineError(
        "a worker process was killed, most likely for lack of memory. Use fewer cores (cores: 1 under budget), or less "
        "data."
    )
    lost.__cause__ = error
    return lost


_worker: dict[str, Any] = {}


def _open_workload(path: Path) -> None:
    """Map the workload's arrays from the file, so that all workers read the same pages of memory."""
    workload: Workload = joblib.load(path, mmap_mode="r")
    _worker["workload"], _worker["keeper"] = workload, FoldKeeper(workload)


def _ready() -> None:
    """Do nothing, in a worker that has begun."""


def _run_in_worker(fits: Sequence[Fit]) -> tuple[list[list[FoldScore]], float]:
    with threadpool_limits(fits[0].threads):  # looks through all libraries, so once for all of a batch
        return timed(lambda fit: run_fit(_worker["workload"], fit, _worker["keeper"]), fits)
