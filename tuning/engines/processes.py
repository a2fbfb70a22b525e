"""Worker processes that come and go while the fits go on: a fit that ends its process costs its candidate, no more.

Each worker has a connection of its own, so it is known which fits it has, how it ended, and that it can be killed
without harm to others; an executor, loky's or the standard library's, knows none of that and is lost with any one of
its processes. Processes are started by loky, which neither forks one that runs threads nor imports the main module.

Short fits travel several at a time, since sending one of two milliseconds takes longer than the fit: a worker has as
many as are worth a fraction of a second, learned from how long they took.
"""

from __future__ import annotations

import atexit
import tempfile
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack, suppress
from multiprocessing import Pipe
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import joblib

from cache import scratch_folder
from errors import EngineError
from tuning.engines import deaths
from tuning.engines.batches import room
from tuning.engines.ledger import Ledger
from tuning.engines.tasks import Scores, Task, taken, too_long
from tuning.engines.worker import BROKEN, READY
from tuning.engines.worker_process import WorkerProcess
from tuning.plan import Fit
from tuning.workload import Workload

_STUCK = 1.0  # seconds that a fit may take before those that are queued behind it, as if it were short, go elsewhere
_FALSE_STARTS = 8  # in a row: someone may be killing processes, but who cannot start never will


class Processes:
    """Runs fits in processes that map the workload from one file.

    Parameters
    ----------
    workload : Workload
    workers : int
    ledger : Ledger, optional
        By default nobody reads it.
    """

    def __init__(self, workload: Workload, workers: int, ledger: Ledger | None = None) -> None:
        self._ledger = ledger or Ledger()
        self._files = ExitStack()
        self._folder = self._files.enter_context(scratch_folder(Path(tempfile.gettempdir()), "gridfold-workload-"))
        self.workload_file = self._folder / "workload.joblib"
        joblib.dump(workload, self.workload_file)
        self._limit = workload.max_fit_time
        self._size = workers
        self._workers: list[WorkerProcess] = []
        self._waiting: deque[Task] = deque()
        self._seconds: float | None = None
        self._n_hired = self._false_starts = 0
        self._ending: str | None = None  # why everything that runs is to end
        self._closing = self._cancelled = self._woken = False
        self._lost: BaseException | None = None
        self._lock = threading.Lock()
        self._woken_by, self._wake_up = Pipe(duplex=False)  # Windows waits for no other kind
        self._thread = threading.Thread(target=self._manage, name="fit-processes", daemon=True)
        self._thread.start()  # workers start, which takes longer than a plan, while the driver plans
        atexit.register(self.close, True)

    def submit(self, fit: Fit) -> Future[Scores]:
        """Queue one fit."""
        task = Task(fit, self._ledger, alone=fit.apart)
        with self._lock:
            if self._lost is not None:
                task.lose(self._lost)
            else:
                self._waiting.append(task)
        self._wake()
        return task.future

    def give_up(self, reason: str) -> None:
        """End the fits that run, which fail for `reason`."""
        with self._lock:
            self._ending = reason
        self._wake()

    def close(self, cancel: bool) -> None:
        """End the workers; with `cancel`, without finishing what they do."""
        with self._lock:
            self._closing = True
            self._cancelled = self._cancelled or cancel
        self._wake()
        self._thread.join()
        atexit.unregister(self.close)

    def _wake(self) -> None:
        with self._lock:
            if self._woken:
                return
            self._woken = True
            with suppress(OSError):
                self._wake_up.send_bytes(b"!")

    def _manage(self) -> None:
        """Hire, send and listen until nothing is left to do; in one thread, which is the parent of all workers."""
        try:
            while not self._is_done():
                self._hire()
                self._send()
                self._listen()
        except BaseException as error:
            self._lose(error)
        finally:
            self._dismiss()
            self._files.close()
            with self._lock:
                self._woken = True  # nobody is to be woken any more
            self._woken_by.close()
            self._wake_up.close()

    def _is_done(self) -> bool:
        with self._lock:
            busy = self._waiting or any(worker.sent for worker in self._workers)
            return self._lost is not None or self._cancelled or (self._closing and not busy)

    def _hire(self) -> None:
        """Start workers: all at the beginning, later those that are wanted for others that have ended."""
        while len(self._workers) < self._size and (self._n_hired < self._size or self._waiting):
            self._n_hired += 1
            self._workers.append(WorkerProcess(self.workload_file, self._n_hired))

    def _send(self) -> None:
        for worker in sorted(self._workers, key=lambda worker: len(worker.sent)):
            while batch := self._next_for(worker):
                worker.send(batch)

    def _next_for(self, worker: WorkerProcess) -> list[Task]:
        """Take from what waits: one fit that is to have the worker alone, or as many others as it has room for."""
        with self._lock:
            if not self._waiting or not worker.takes_more or any(other.has_all for other in self._workers):
                return []
            first = self._waiting[0]
            if first.alone:
                wanted = self._workers if first.only else [worker]
                return [] if any(each.sent for each in wanted) else taken(self._waiting, 1)
            return taken(self._waiting, room(len(self._waiting), len(worker.sent), self._seconds, self._size))

    def _listen(self) -> None:
        """Wait for news: results, a worker that ends, something to do, or a fit whose time is up."""
        by_place: dict[Any, WorkerProcess] = {
            place: worker for worker in self._workers for place in (worker.connection, worker.sentinel)
        }
        ready = wait([*by_place, self._woken_by], timeout=self._patience())
        if self._woken_by in ready:
            with self._lock:
                self._woken = False
            self._woken_by.recv_bytes()
        for worker in {by_place[place]: None for place in ready if place in by_place}:
            self._hear(worker)
        self._end_overdue()

    def _hear(self, worker: WorkerProcess) -> None:
        try:
            for kind, said in worker.messages():
                if kind == READY:
                    worker.ready, self._false_starts = True, 0
                elif kind == BROKEN:
                    raise EngineError(f"a worker process could not read the sweep ({said}).")
                else:
                    self._take(worker, *said)
        except (EOFError, OSError):
            self._bury(worker)

    def _take(self, worker: WorkerProcess, found: Sequence[Scores], seconds: float) -> None:
        self._seconds = seconds / len(found)
        for scores in found:
            if (task := worker.next_ended()) is not None:
                task.end(scores, self._seconds)

    def _patience(self) -> float | None:
        """Seconds until the first of the fits that run will have had its time, or keeps others from theirs."""
        left = [] if self._limit is None else [worker.left(self._limit) for worker in self._workers]
        left += [worker.left(_STUCK) for worker in self._workers if worker.keeps_others]
        return max(0.0, min(left)) if left else None

    def _end_overdue(self) -> None:
        for worker in self._workers:
            if worker.keeps_others and worker.left(_STUCK) <= 0:
                self._put_back(worker.disown())
        with self._lock:
            ending, self._ending = self._ending, None
        for worker in list(self._workers):
            if ending is not None and worker.sent:
                worker.kill()
                self._workers.remove(worker)
                self._abandon(worker, ending)
            elif self._limit is not None and worker.left(self._limit) <= 0:
                worker.kill()
                self._workers.remove(worker)
                self._judge_overdue(worker)

    def _abandon(self, worker: WorkerProcess, reason: str) -> None:
        """Fail what the worker was fitting, and drop what it had not begun."""
        guilty = worker.at_hand()
        for task in worker.tasks():
            if task is guilty:
                task.fail(reason)
            else:
                task.lose(CancelledError())

    def _judge_overdue(self, worker: WorkerProcess) -> None:
        assert self._limit is not None
        guilty = worker.at_hand()
        self._put_back([task for task in worker.tasks() if task is not guilty])
        if guilty is None:  # it has ended at the last moment
            return
        if len(guilty.fit.candidates) > 1:
            self._put_back(guilty.parts(), sent=False)
        else:
            guilty.fail(too_long(self._limit))

    def _bury(self, worker: WorkerProcess) -> None:
        """Find out whose fault the end of a worker was, and see to what it leaves."""
        self._workers.remove(worker)
        exitcode, crash = worker.end()
        if not worker.ready:
            self._false_starts += 1
            if self._false_starts >= _FALSE_STARTS:
                words = deaths.words(exitcode, worker.starved())
                raise EngineError(f"a worker process cannot start: {words}.")
        guilty = worker.at_hand()
        self._put_back([task for task in worker.tasks() if task is not guilty])
        if guilty is not None:
            self._judge(guilty, exitcode, worker.starved(), crash)

    def _judge(self, task: Task, exitcode: int, starved: bool, crash: str) -> None:
        """Try once more, alone, whatever has ended a process; what does so again has failed."""
        if not task.alone:
            task.alone, task.only = True, deaths.for_memory(exitcode)
            self._put_back([task])
        elif len(task.fit.candidates) > 1:
            self._put_back(task.parts(), sent=False)
        else:
            task.fail(deaths.words(exitcode, starved, crash))

    def _put_back(self, tasks: Sequence[Task], sent: bool = True) -> None:
        for task in tasks if sent else ():
            task.wait_again()
        with self._lock:
            self._waiting.extendleft(reversed(tasks))

    def _lose(self, error: BaseException) -> None:
        with self._lock:
            self._lost = error

    def _dismiss(self) -> None:
        """End the workers, and whatever still waits for them."""
        with self._lock:
            kill, left = self._cancelled or self._lost is not None, [*self._waiting]
            self._waiting.clear()
        for worker in self._workers:
            left += worker.tasks()
            worker.dismiss(kill)
        for worker in self._workers:
            worker.end()
        for task in left:
            if self._lost is not None or not task.future.cancel():
                task.lose(self._lost or CancelledError())
        self._workers.clear()
