"""The Spark engine: fits as jobs, each result as its job ends.

Short fits travel several to a job, as many as are worth a fraction of a second, learned from how long they took: a job
costs the driver some milliseconds, which is more than such a fit. A few more jobs are in flight than there are slots,
so that an executor that falls free or joins finds its next task waiting, and so that Spark's dynamic allocation sees
that there is work for more.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from errors import EngineError
from tuning.engines.batches import SECONDS, Batch, room
from tuning.engines.ledger import Ledger
from tuning.engines.spark import limits, remote
from tuning.engines.spark import session as sessions
from tuning.engines.spark.answers import OverdueError, scores_in
from tuning.engines.spark.cluster import Cluster
from tuning.engines.spark.failures import CrashError
from tuning.engines.spark.patience import STARTS_WITHIN, within
from tuning.engines.spark.worker import SCORES, Answer
from tuning.engines.tasks import Task, taken
from tuning.plan import Fit
from tuning.results.fold_score import FoldScore
from tuning.workload import Workload

_MOST_IN_FLIGHT = 1024
_SECONDS_FOR_A_SLOT = 0.05  # what a job costs the driver, Java included: such jobs keep one core of it busy
_SLOWEST = 2**21  # bytes of data in a second, on their way from here to a Python worker
_LONGER = 3.0  # times what a job is to last: then one of its fits is long, and those behind it go elsewhere
_ENDS_WITHIN = 30.0
_POLL = 0.1
_SECONDS_BETWEEN_LOOKS = 5.0


class SparkEngine:
    """The executors of a Spark cluster.

    Parameters
    ----------
    cores : int
        Fits that run side by side; 0 for as many as the cluster has room for.
    master : str or None
        ``spark://HOST:PORT``, ``local[N]``, ``yarn``, ``k8s://...``, or ``sc://HOST:PORT`` for Spark Connect; None for
        the session that exists or that the environment describes.

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
        self._waiting: deque[Task] = deque()
        self._running: set[Task] = set()
        self._n_jobs = 0
        self._seconds: float | None = None  # what a fit took lately
        self._cancelled = False
        self._lost: EngineError | None = None
        self._over = threading.Event()
        self._given_up: dict[Task, str] = {}
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
        sweep = f"gridfold-{uuid.uuid4().hex[:12]}"
        self._cluster, self._owned = sessions.find(self._master, self._cores, sweep)
        self._cluster.share(workload)
        self._try_a_worker(self._cluster, limits.n_bytes(workload))
        threading.Thread(target=self._watch, args=(self._cluster,), name="spark-watch", daemon=True).start()

    def _watch(self, cluster: Cluster) -> None:
        """End all fits, once nothing can end them any more."""
        while not self._over.wait(_SECONDS_BETWEEN_LOOKS):
            if reason := cluster.lost():
                self._lost = EngineError(reason)
                self._cancel()
                return

    def _try_a_worker(self, cluster: Cluster, size: int) -> None:
        patience = STARTS_WITHIN + size / _SLOWEST
        also = f" that has read the data ({size / 2**20:,.0f} MiB)" if size > 100 * _SLOWEST else ""
        late = (
            f"Spark at {remote.place(self._master or 'the existing session')} gave no executor{also} within "
            f"{patience:.0f} s. "
            "Check that it has a worker with free cores, and with memory for spark.executor.memory."
        )
        try:
            scores_in(*within(patience, lambda: cluster.finish(cluster.begin(Batch(), "load the data")), late))
        except CrashError as error:
            raise EngineError(f"no worker can load the data: {error}") from error

    def submit(self, fit: Fit) -> Future[list[FoldScore]]:
        """Queue one fit."""
        task = Task(fit, self.ledger)
        self._queue([task])
        return task.future

    def _queue(self, tasks: Sequence[Task], first: bool = False) -> None:
        with self._lock:
            dropped = tasks if self._cancelled else ()
            if first and not dropped:
                self._waiting.extendleft(reversed(tasks))
            elif not dropped:
                self._waiting.extend(tasks)
        for task in dropped:
            task.lose(self._lost or CancelledError())
        self._start_waiting()

    def give_up(self, reason: str) -> None:
        """Cancel the jobs that run; their fits fail for `reason`."""
        with self._lock:
            self._given_up |= dict.fromkeys(self._running, reason)
        threading.Thread(target=self._end_given_up, name="spark-give-up", daemon=True).start()

    def _end_given_up(self) -> None:
        with suppress(OSError):  # the Java process is gone, and its executors with it
            while (left := self._running & self._given_up.keys()) and self._cluster is not None:
                self._cluster.cancel()  # a job that was about to be submitted is there the next time
                wait([task.future for task in left], timeout=_POLL)

    def close(self, cancel: bool = False) -> None:
        """Let go of data and, where it is ours, of the session; with `cancel`, of the jobs still to run."""
        if cancel:
            self._cancel()
        while pending := [task.future for task in (*self._running, *self._waiting)]:
            wait(pending)
        self._over.set()
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
            while self._waiting and not self._cancelled and self._n_jobs < self._most_in_flight():
                if tasks := self._taken():
                    self._n_jobs += 1
                    self._running.update(tasks)
                    self._submitting.submit(self._begin, tasks)

    def _most_in_flight(self) -> int:
        slots = self.workers
        return self._cores or min(_MOST_IN_FLIGHT, slots + max(2, slots // 2))

    def _worth(self) -> float:
        """Seconds of fits that a job has at most, if it has more than one."""
        return max(SECONDS, _SECONDS_FOR_A_SLOT * self.workers)

    def _taken(self) -> list[Task]:
        """Take the fits of a job."""
        return taken(self._waiting, room(len(self._waiting), 0, self._seconds, self.workers, self._worth()))

    def _begin(self, tasks: Sequence[Task]) -> None:
        """Turn fits into a job; on a thread of its own, so that jobs begin in the order of submission."""
        assert self._cluster is not None, "open() comes first"
        threads = self._cluster.task_threads
        batch = Batch(tuple(replace(task.fit, threads=threads) for task in tasks), _LONGER * self._worth())
        try:
            if self._cancelled:
                raise CancelledError
            for task in tasks:
                task.send()
            job = self._cluster.begin(batch, _label(batch.fits))
        except BaseException as error:
            self._end(tasks, partial(_lose, tasks, self._lost or error))
        else:
            self._waiting_for_jobs.submit(self._finish, tasks, job)

    def _finish(self, tasks: Sequence[Task], job: Any) -> None:
        assert self._cluster is not None
        try:
            answers = self._cluster.finish(job)
        except CrashError as error:
            self._end(tasks, partial(self._judge, tasks, str(error)))
        except BaseException as error:
            reason = self._given_up.get(tasks[0])
            stopped = isinstance(error, CancelledError) and reason is not None and not self._cancelled
            if stopped and len(tasks) == 1:  # of several, nobody knows which had begun
                self._end(tasks, partial(tasks[0].fail, str(reason)))
            else:
                self._end(tasks, partial(_lose, tasks, self._lost or error))
        else:
            self._end(tasks, partial(self._take, tasks, answers))

    def _take(self, tasks: Sequence[Task], answers: Sequence[Answer]) -> None:
        """Give each fit its answer; those that have not begun wait again."""
        timed = [seconds for kind, _, seconds in answers if kind == SCORES]
        if timed:
            self._seconds = sum(timed) / len(timed)
        for task, answer in zip(tasks, answers, strict=False):
            try:
                scores = scores_in(answer)
            except OverdueError as error:
                self._judge([task], str(error))
            except BaseException as error:
                task.lose(error)
            else:
                task.end(scores, seconds_of(scores))  # a job waits for a slot too
        left = tasks[len(answers) :]
        for task in left:
            task.wait_again()
        self._queue(left, first=True)

    def _judge(self, tasks: Sequence[Task], reason: str) -> None:
        """Fail the candidate that takes its worker down; of several, find out which does."""
        if len(tasks) > 1:
            for task in tasks:
                task.alone = True
                task.wait_again()
            self._queue(tasks, first=True)
        elif len(tasks[0].fit.candidates) > 1:
            self._queue(tasks[0].parts())
        else:
            tasks[0].fail(reason)

    def _end(self, tasks: Sequence[Task], resolve: Callable[[], None]) -> None:
        with self._lock:
            self._n_jobs -= 1
            self._running.difference_update(tasks)
            for task in tasks:
                self._given_up.pop(task, None)
        resolve()
        self._start_waiting()

    def _cancel(self) -> None:
        """Cancel every job, and wait until no task runs."""
        with self._lock:
            self._cancelled = True
            dropped, self._waiting = self._waiting, deque()
        for task in dropped:
            if self._lost or not task.future.cancel():
                task.lose(self._lost or CancelledError())  # a part of one that had begun, if it is not the cluster
        cluster = self._cluster
        if cluster is None:
            return
        try:
            while self._running:  # a job that was about to be submitted is there the next time
                cluster.cancel()
                wait([task.future for task in self._running], timeout=_POLL)
            limit = time.monotonic() + _ENDS_WITHIN
            while cluster.busy() and time.monotonic() < limit:
                time.sleep(_POLL)
        except OSError:
            return  # the Java process is gone, and its executors with it


def _label(fits: Sequence[Fit]) -> str:
    """Name a job after its first fit."""
    names = "; ".join(candidate.name for candidate in fits[0].candidates)
    more = f", and {len(fits) - 1} more" if len(fits) > 1 else ""
    return f"fold {fits[0].fold}: {names}{more}"


def _lose(tasks: Sequence[Task], error: BaseException) -> None:
    for task in tasks:
        task.lose(error)


def seconds_of(scores: Sequence[FoldScore]) -> float:
    """Return what a fit took, of which its candidates each tell their own part: the longest training, all scoring."""
    longest = max((score.fit_seconds for score in scores), default=0.0)
    return longest + sum(score.score_seconds for score in scores)
