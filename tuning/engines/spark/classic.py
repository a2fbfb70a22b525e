"""Fits on a SparkContext: the data as a broadcast variable, every fit, or some short ones, as a job of one task.

A job costs tens of milliseconds and ends when its task ends. One job for all fits would be cheaper by that, but
``collect`` returns when the last task has ended, ``toLocalIterator`` gives partitions in order and one at a time, and a
strategy that learns from scores cannot name all its fits beforehand. Jobs are begun through Java's ``collectAsync``,
which pyspark does not pass on: threads that each call ``collect`` would begin them in any order, the costliest last.
"""

from __future__ import annotations

import pickle
import sys
import time
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from tuning.engines.batches import Batch
from tuning.engines.spark import failures, limits
from tuning.engines.spark.code import archive, archive_of
from tuning.engines.spark.outage import Outage
from tuning.engines.spark.worker import Answer, PackedWorkload
from tuning.workload import Workload

_ASKS_AGAIN = 0.5  # seconds for which the number of slots is taken to be what it was
_sent: set[tuple[str, Path]] = set()
"""Applications, and the archives that they have; Spark warns of a file that is added twice."""


class ClassicCluster:
    """A session with a SparkContext.

    Parameters
    ----------
    session : SparkSession
    sweep : str
        Names the jobs' group.
    """

    def __init__(self, session: Any, sweep: str) -> None:
        self._context = session.sparkContext
        self._session = session
        self._sweep = sweep
        self._broadcast: Any = None
        self._modules: str | None = None
        self._slots, self._asked_at = 0, -_ASKS_AGAIN
        self._outage = Outage(str(self._context.master), self._executors)

    @cached_property
    def task_threads(self) -> int:
        """Threads that a task may use; pyspark copies all settings, one call into Java each, to look one up."""
        return int(self._context.getConf().get("spark.task.cpus", "1"))

    @property
    def slots(self) -> int:
        """Tasks that can run side by side, as it was a moment ago; it follows executors as they come and go."""
        now = time.monotonic()
        if now - self._asked_at >= _ASKS_AGAIN:
            self._asked_at = now
            self._slots = max(1, int(self._context.defaultParallelism) // self.task_threads)
        return self._slots

    def share(self, workload: Workload) -> None:
        """Broadcast `workload` and send the code.

        Raises
        ------
        EngineError
            The driver's Java or a worker's Python has too little memory for it.
        """
        from pyspark import cloudpickle

        limits.check(self._context, workload)
        self._send(archive())
        own = archive_of(workload.own_modules())
        if own is not None:
            self._send(own)
            self._modules = own.name
        try:
            self._broadcast = self._context.broadcast(PackedWorkload.pack(self._sweep, workload, cloudpickle.dumps))
        except Exception as error:
            raise failures.explain(error, failures.stopped(self._context)) from error

    def _send(self, code: Path) -> None:
        """Send an archive to the workers; pyspark also puts it on our own path, where it has no place."""
        sent = (self._context.applicationId, code)
        if sent not in _sent:
            path = list(sys.path)
            self._context.addPyFile(str(code))
            sys.path[:] = path
            _sent.add(sent)

    def begin(self, batch: Batch, label: str) -> Any:
        """Submit the job of a batch, one without fits only loads the workload; `label` names it in Spark's UI.

        Raises
        ------
        EngineError
            The cluster is lost.
        """
        task = _task(self._sweep, self._broadcast, pickle.dumps(batch), self._modules)
        try:
            self._context.setJobGroup(self._sweep, label, interruptOnCancel=False)
            return self._context.parallelize([0], 1).mapPartitions(task)._jrdd.collectAsync()
        except Exception as error:
            raise failures.explain(error, failures.stopped(self._context)) from error

    def finish(self, job: Any) -> list[Answer]:
        """Wait for a job that has begun, and return what the worker answers.

        Raises
        ------
        EngineError
            The cluster is lost.
        failures.CrashError
            The fit took its worker down, again and again.
        CancelledError
            ``cancel`` was called.
        """
        try:
            [batch] = job.get()
        except Exception as error:
            raise failures.explain(error, failures.stopped(self._context)) from error
        [found] = pickle.loads(bytes(batch))
        answers: list[Answer] = found
        return answers

    def cancel(self) -> None:
        """Cancel the jobs that have been submitted."""
        self._context.cancelJobGroup(self._sweep)

    def busy(self) -> bool:
        """Whether a task of a cancelled job still runs; killing one takes Spark two seconds."""
        tracker = self._context.statusTracker()
        jobs = [tracker.getJobInfo(job) for job in tracker.getJobIdsForGroup(self._sweep)]
        cut = [stage for job in jobs if job and job.status != "SUCCEEDED" for stage in job.stageIds]
        return any(stage.numActiveTasks for stage in map(tracker.getStageInfo, cut) if stage)

    def lost(self) -> str:
        """Return why no job can end any more; empty where one may."""
        try:
            return self._outage.is_over()
        except Exception:  # Java has gone, which every job says
            return ""

    def _executors(self) -> int:
        return len(self._context._jsc.sc().statusTracker().getExecutorInfos()) - 1  # one is the driver

    def close(self) -> None:
        """Remove the data from driver and executors."""
        if self._broadcast is not None:
            self._broadcast.destroy()
            self._broadcast = None

    def stop(self) -> None:
        """End the session."""
        self._session.stop()


def _task(
    sweep: str, broadcast: Any, pickled: bytes, modules: str | None = None
) -> Callable[[Iterable[int]], list[list[Answer]]]:
    """Make the function that a worker runs; all its answers are one element, since Spark may part several.

    Spark pickles an inner function by value, so it arrives even where nothing of ours can be imported and can say so.
    """
    ours = PackedWorkload.__module__  # by another name where a program has imported gridfold

    def task(rows: Iterable[int]) -> list[list[Answer]]:
        list(rows)  # Spark keeps a Python worker for the next task only where its input was read to the end
        try:
            from importlib import import_module

            worker = import_module(ours)
        except ModuleNotFoundError as error:
            import socket
            import sys

            package = (error.name or "").partition(".")[0]
            return [[("lacking", (socket.gethostname(), package, sys.executable), 0.0)]]
        answers: list[Answer] = worker.work(sweep, lambda: broadcast.value, pickled, modules)
        return [answers]

    return task
