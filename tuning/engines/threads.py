"""Threads for fits of libraries that let go of the interpreter lock while they train, and share one copy of the data.

Nobody can end a thread. One that is to stop is asked, then interrupted between two steps of Python, and where it still
does not end, in compiled code say, it is left alone: its candidates have failed, another thread takes its place, and it
keeps its core until the process ends. The threads are our own rather than an executor's for that reason, and because
Python waits for an executor's before it exits.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from queue import SimpleQueue

from threadpoolctl import threadpool_limits

from tuning.engines.ledger import FitControl, Ledger
from tuning.engines.tasks import Scores, Task, too_long
from tuning.fitting import run_fit
from tuning.learners import learner_for
from tuning.learners.keeper import FoldKeeper
from tuning.plan import Fit
from tuning.warned import notes_kept
from tuning.workload import Workload

_ASKED, _INTERRUPTED = 2.0, 3.0  # seconds that a fit has to end in, when asked and when interrupted
_left: list[threading.Thread] = []


def left_behind() -> list[threading.Thread]:
    """Return the threads that would not end and still run: at the end of the process, nobody should wait for them."""
    return [thread for thread in _left if thread.is_alive()]


@dataclass(eq=False)
class _Running:
    """A fit in a thread; also what its learner asks while it trains, see ``tuning.control``."""

    task: Task
    pool: Threads
    thread: threading.Thread
    began: float = field(default_factory=time.monotonic)
    reason: str | None = None  # why it is to end
    steps: int = 0  # taken to end it
    next_step: float = 0.0
    left: bool = False
    card: str | None = None

    def cancelled(self) -> bool:
        return self.reason is not None or self.pool.cancelled

    def threads(self) -> int:
        return self.pool.threads()


class Threads:
    """Runs fits in threads, and controls them: they end when told to, and share idle cores in the tail.

    A library that has threads of its own and no parameter for them gets one: OpenMP keeps the number by thread, the
    libraries of linear algebra for the whole process.

    Parameters
    ----------
    workload : Workload
    workers : int
    cards : sequence of str
        Graphics cards, one for each worker; none for the CPU.
    ledger : Ledger, optional
        By default nobody reads it.
    began : callable, optional
        Is told of every fit before it begins, in its thread: it may take this process down.
    """

    def __init__(
        self,
        workload: Workload,
        workers: int,
        cards: Sequence[str] = (),
        ledger: Ledger | None = None,
        began: Callable[[Fit], None] | None = None,
    ) -> None:
        self._ledger = ledger or Ledger()
        self._began = began
        self._workload = workload
        self._free_cards: SimpleQueue[str] | None = None
        if cards:
            self._free_cards = SimpleQueue()
            for card in cards:
                self._free_cards.put(card)
        self.keeper = FoldKeeper(workload, threads=True)
        self._asks = learner_for(workload.estimator).asks_control
        self._limit = workload.max_fit_time
        self._limits = threadpool_limits(1)
        self._notes = ExitStack()
        self._notes.enter_context(notes_kept())
        self._workers = workers
        self._waiting: deque[Task] = deque()
        self._running: list[_Running] = []
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self.cancelled = self._closing = False
        self._changed = threading.Condition()
        self._watch: threading.Thread | None = None

    def submit(self, fit: Fit) -> Future[Scores]:
        """Queue one fit."""
        task = Task(fit, self._ledger)
        self._put([task])
        return task.future

    def _put(self, tasks: Sequence[Task]) -> None:
        for task in tasks:
            self.keeper.expect(task.fit)
        with self._changed:
            self._waiting.extend(tasks)
            for _ in range(min(len(self._waiting) - self._idle, self._workers - len(self._threads))):
                self._start_thread()
            self._changed.notify_all()

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._work, name=f"fit-{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        threadpool_limits(1)
        while (task := self._next()) is not None:
            running = self._begin(task)
            self._run(running)
            if running.left:
                return

    def _next(self) -> Task | None:
        with self._changed:
            while True:
                while self._waiting:
                    task = self._waiting.popleft()
                    if task.begin():
                        return task
                if self._closing:
                    return None
                self._idle += 1
                try:
                    self._changed.wait()
                finally:
                    self._idle -= 1

    def _begin(self, task: Task) -> _Running:
        running = _Running(task, self, threading.current_thread())
        task.send()
        with self._changed:
            self._running.append(running)
            if self._limit is not None:
                self._look_after()
        return running

    def _run(self, running: _Running) -> None:
        fit, scores, error = running.task.fit, None, None
        try:
            try:
                if self._free_cards:
                    running.card = self._free_cards.get()
                    fit = replace(fit, device=running.card)
                if self._began is not None:
                    self._began(running.task.fit)
                with self.keeper.in_use(fit):
                    control = FitControl(running, self._ledger, running.task.fit)
                    scores = run_fit(self._workload, fit, self.keeper, control)
            finally:
                self._forget(running)
        except BaseException as raised:
            error = raised
            self._forget(running)  # an interrupt may have come too late for the fit, and in the middle of that
        self._settle(running, scores, error)

    def _forget(self, running: _Running) -> None:
        with self._changed:
            if running in self._running:
                self._running.remove(running)
                self._changed.notify_all()
            if self._free_cards and running.card is not None and not running.left:
                self._free_cards.put(running.card)
                running.card = None

    def _settle(self, running: _Running, scores: Scores | None, error: BaseException | None) -> None:
        if running.left:
            return
        stopped = running.reason is not None and not self.cancelled
        if scores is not None and not (stopped and any(score.error for score in scores)):
            running.task.end(scores)
        elif stopped:
            self._fail(running)
        else:
            running.task.lose(error or CancelledError())

    def _fail(self, running: _Running) -> None:
        """End the task of a fit that was stopped: its candidates have failed, unless each can be given its own time."""
        task, limit = running.task, self._limit
        if limit is not None and running.reason == too_long(limit) and len(task.fit.candidates) > 1:
            self._put(task.parts())
        else:
            task.fail(str(running.reason))

    def threads(self) -> int:
        """One while fits wait for a core; in the tail, an equal share of the cores."""
        with self._changed:
            return 1 if self._waiting else max(1, self._workers // max(1, len(self._running)))

    def give_up(self, reason: str) -> None:
        """End the fits that run, which fail for `reason`."""
        with self._changed:
            for running in self._running:
                running.reason = running.reason or reason
            self._look_after()

    def _look_after(self) -> None:
        """See that fits whose time is up end, in a thread that does nothing else."""
        if self._watch is None:
            self._watch = threading.Thread(target=self._keep_watch, name="fit-watch", daemon=True)
            self._watch.start()
        self._changed.notify_all()

    def _keep_watch(self) -> None:
        while True:
            with self._changed:
                if self._closing and not self._running:
                    return
                now = time.monotonic()
                for running in list(self._running):
                    self._see_to(running, now)
                self._changed.wait(self._patience(now))

    def _patience(self, now: float) -> float | None:
        due = [running.next_step for running in self._running if running.reason]
        if self._limit is not None:
            due += [self._due(running, self._limit) for running in self._running if not running.reason]
        return max(0.0, min(due) - now) if due else None

    def _due(self, running: _Running, limit: float) -> float:
        return running.began + limit * len(running.task.fit.candidates)

    def _see_to(self, running: _Running, now: float) -> None:
        """Take the next step towards the end of a fit, if it is time to."""
        if running.reason is None and self._limit is not None and now >= self._due(running, self._limit):
            running.reason = too_long(self._limit)
        if running.reason is None or now < running.next_step:
            return
        if running.steps == 0 and self._asks:  # it asks us, and finds out
            running.next_step = now + _ASKED
        elif running.steps <= 1:
            running.steps = 1
            running.next_step = now + _INTERRUPTED
            _interrupt(running.thread)
        else:
            self._leave(running)
        running.steps += 1

    def _leave(self, running: _Running) -> None:
        """Go on without a thread that does not end."""
        running.left = True
        self._running.remove(running)
        if running.thread in self._threads:
            self._threads.remove(running.thread)
        _left.append(running.thread)
        if not self._closing or self._waiting:
            self._start_thread()
        self._fail(running)

    def close(self, cancel: bool) -> None:
        """End the threads; with `cancel`, without finishing what they do."""
        with self._changed:
            self._closing = True
            self.cancelled = cancel
            dropped = [*self._waiting] if cancel else []
            if cancel:
                self._waiting.clear()
                for running in self._running:
                    running.reason = running.reason or "the sweep was interrupted"
                self._look_after()
            self._changed.notify_all()
        for task in dropped:
            task.future.cancel()
        while threads := [thread for thread in self._threads if thread.is_alive() and thread not in _left]:
            threads[0].join(timeout=0.1)
        if self._watch is not None and self._watch is not threading.current_thread():
            self._watch.join(timeout=1.0)
        self._limits.restore_original_limits()
        self._notes.close()


def _interrupt(thread: threading.Thread) -> None:
    """Raise CancelledError in `thread` between two steps of Python."""
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(CancelledError))
