"""The Spark engine: fits as jobs, each result as its job ends.

A few more jobs are in flight than there are slots, so that an executor that falls free or joins finds its next task
waiting, and so that Spark's dynamic allocation sees that there is work for more.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any

from errors import EngineError
from tuning.engines.ledger import Ledger
from tuning.engines.spark import session as sessions
from tuning.engines.spark.classic import ClassicCluster
from tuning.engines.spark.cluster import Cluster
from tuning.engines.spark.failures import CrashError
from tuning.engines.spark.worker import SCORES
from tuning.plan import Fit, Workload
from tuning.results.sweep_result import FoldScore

_MOST_IN_FLIGHT = 1024
_ENDS_WITHIN = 30.0
_POLL = 0.1


class SparkEngine:
    """The executors of a Spark cluster.

    Parameters
    ----------
    cores : int
        Fits that run side by side; 0 for as many as the cluster has room for.
    master : str or None
        ``spark://HOST:PORT``, ``local[N]``, ``yarn`` or ``k8s://...``; None for the session that exists or that the
        environment describes.

    Raises
    ------
    EngineError
        There is no pyspark, no Java, or no such master.
    """

    name = "spark"
    began: Callable[[Fit], None] | None = None

    def __init__(self, cores: int = 0, master: str | None = None) -> None:
        sessions.check(master)
        self.ledger = Ledger()
        self._cores = cores
        self._master = master or None
        self._cluster: Cluster | None = None
        self._owned = False
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Fit, Future[list[FoldScore]]]] = deque()
        self._running: set[Future[list[FoldScore]]] = set()
        self._cancelled = False
        self._submitting = ThreadPoolExecutor(1, thread_name_prefix="spark-submit")
        self._waiting_for_jobs = ThreadPoolExecutor(_MOST_IN_FLIGHT, thread_name_prefix="spark-fit")

    @property
    def workers(self) -> int:
        """Fits that can run side by side now."""
        slots = self._cluster.slots if self._cluster else 1
        return min(slots, self._cores or slots)

    def open(self, workload: Workload) -> None:
        """Find or start the session, send data and code, and see that a worker can use them.

        Raises
        ------
        EngineError
            One line: no session, no executor, a worker without the environment, too little memory.
        """
        found = sessions.existing()
        self._owned = found is None
        session = sessions.start(self._master, self._cores) if found is None else found
        self._cluster = ClassicCluster(session, f"gridfold-{uuid.uuid4().hex[:12]}")
        self._cluster.share(workload)
        self._try_a_worker(self._cluster)

    def _try_a_worker(self, cluster: Cluster) -> None:
        limit = sessions.STARTS_WITHIN
        late = (
            f"Spark at {self._master or 'the existing session'} gave no executor within {limit:.0f} s. "
            "Check that it has a worker with free cores, and with memory for spark.executor.memory."
        )
        try:
            _scores(sessions.within(limit, lambda: cluster.finish(cluster.begin(None, "load the data")), late))
        except CrashError as error:
            raise EngineError(f"no worker can load the data: {error}") from error

    def submit(self, fit: Fit) -> Future[list[FoldScore]]:
        """Queue one fit."""
        future: Future[list[FoldScore]] = Future()
        self.ledger.submitted(fit)
        future.add_done_callback(lambda ended: self._note_end(fit, ended))
        with self._lock:
            self._waiting.append((fit, future))
        self._start_waiting()
        return future

    def _note_end(self, fit: Fit, ended: Future[list[FoldScore]]) -> None:
        """Keep the books: a job waits for a slot too, so the fit's own seconds say better what it took."""
        if ended.cancelled() or ended.exception():
            self.ledger.dropped(fit)
        else:
            self.ledger.ended(fit, ended.result(), seconds_of(ended.result()))

    def close(self, cancel: bool = False) -> None:
        """Let go of data and, where it is ours, of the session; with `cancel`, of the jobs still to run."""
        if cancel:
            self._cancel()
        while pending := [*self._running, *(future for _, future in self._waiting)]:
            wait(pending)
        self._submitting.shutdown(wait=True)
        self._waiting_for_jobs.shutdown(wait=True)
        cluster, self._cluster = self._cluster, None
        if cluster is not None:
            cluster.close()
            if self._owned:
                cluster.stop()

    def _start_waiting(self) -> None:
        """Turn waiting fits into jobs, up to a few more than there are slots."""
        with self._lock:
            while self._waiting and not self._cancelled and len(self._running) < self._most_in_flight():
                fit, future = self._waiting.popleft()
                if future.set_running_or_notify_cancel():
                    self._running.add(future)
                    self._submitting.submit(self._begin, fit, future)

    def _most_in_flight(self) -> int:
        slots = self.workers
        return self._cores or min(_MOST_IN_FLIGHT, slots + max(2, slots // 2))

    def _begin(self, fit: Fit, future: Future[list[FoldScore]]) -> None:
        """Turn one fit into a job; on a thread of its own, so that jobs begin in the order of submission."""
        assert self._cluster is not None, "open() comes first"
        label = f"fold {fit.fold}: " + "; ".join(candidate.name for candidate in fit.candidates)
        try:
            if self._cancelled:
                raise CancelledError
            self.ledger.began(fit)
            job = self._cluster.begin(replace(fit, threads=self._cluster.task_threads), label)
        except BaseException as error:
            self._end(future, [], error)
        else:
            self._waiting_for_jobs.submit(self._finish, fit, job, future)

    def _finish(self, fit: Fit, job: Any, future: Future[list[FoldScore]]) -> None:
        assert self._cluster is not None
        try:
            scores = _scores(self._cluster.finish(job))
        except CrashError as error:
            lost = [FoldScore(candidate, fit.fold, error=str(error), lost=True) for candidate in fit.candidates]
            self._end(future, lost)
        except BaseException as error:
            self._end(future, [], error)
        else:
            self._end(future, scores)

    def _end(
        self, future: Future[list[FoldScore]], scores: list[FoldScore], error: BaseException | None = None
    ) -> None:
        with self._lock:
            self._running.discard(future)
        self._start_waiting()
        if error is None:
            future.set_result(scores)
        else:
            future.set_exception(error)

    def _cancel(self) -> None:
        """Cancel every job, and wait until no task runs."""
        with self._lock:
            self._cancelled = True
            dropped, self._waiting = self._waiting, deque()
        for _, future in dropped:
            future.cancel()
        cluster = self._cluster
        if cluster is None:
            return
        try:
            while self._running:  # a job that was about to be submitted is there the next time
                cluster.cancel()
                wait(set(self._running), timeout=_POLL)
            limit = time.monotonic() + _ENDS_WITHIN
            while cluster.busy() and time.monotonic() < limit:
                time.sleep(_POLL)
        except OSError:
            return  # the Java process is gone, and its executors with it


def seconds_of(scores: Sequence[FoldScore]) -> float:
    """Return what a fit took, of which its candidates each tell their own part: the longest training, all scoring."""
    longest = max((score.fit_seconds for score in scores), default=0.0)
    return longest + sum(score.score_seconds for score in scores)


def _scores(answer: tuple[str, Any]) -> list[FoldScore]:
    kind, content = answer
    if kind == SCORES:
        scores: list[FoldScore] = content
        return scores
    if kind == "lacking":
        host, package, python = content
        content = (
            f"worker {host} lacks the package '{package}' (its Python is {python}). "
            f"Install {package} there, or set PYSPARK_PYTHON to the Python of an environment that has it."
        )
    raise EngineError(content)
