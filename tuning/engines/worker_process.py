"""One worker process, as its parent sees it: what it has, what it says, how it ended."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import cloudpickle
from loky.backend import get_context

from tuning.engines import deaths, groups
from tuning.engines.tasks import Task
from tuning.engines.worker import Marker, serve

_UNREAD = 32 * 2**10  # bytes on their way to a worker that is busy: more might not fit its pipe, and would block
_ENDS_WITHIN = 5.0


class WorkerProcess:
    """A process of a pool's.

    Parameters
    ----------
    workload : Path
        The file that it maps, in a folder where it finds room for its own.
    number : int
        No other worker of the pool has the same.

    Attributes
    ----------
    connection, sentinel : object
        What to wait on for what it says, and for its end.
    ready : bool
        Whether it has read the workload.
    sent : deque of Task or None
        What it has, in order; None for what has gone to another worker meanwhile.
    """

    def __init__(self, workload: Path, number: int) -> None:
        context = get_context("loky")
        self.connection, theirs = context.Pipe()
        self._marker_file = workload.with_name(f"worker-{number}.place")
        self._crash_file = workload.with_name(f"worker-{number}.crash")
        self._marker = Marker(self._marker_file)
        self._kills = deaths.oom_kills()
        arguments = (theirs, workload, self._marker_file, self._crash_file, os.getpid())
        self._process: Any = context.Process(target=serve, args=arguments, name=f"fits-{number}")
        self._process.start()
        theirs.close()
        self.sentinel: int = self._process.sentinel
        self.ready = False
        self.sent: deque[Task | None] = deque()  # None for what has gone to another worker meanwhile
        self._n_ended = 0
        self._unread: deque[tuple[int, int]] = deque()  # numbers of the last fits that were sent, and their bytes
        self._n_sent = 0

    @property
    def takes_more(self) -> bool:
        """Whether a fit can be sent without waiting for the worker to read, and without company for one alone."""
        while self._unread and self._unread[0][0] <= self._n_ended:
            self._unread.popleft()
        small = sum(size for _, size in self._unread) < _UNREAD
        last = self.sent[-1] if self.sent else None
        return self.ready and (not self.sent or (small and last is not None and not last.alone))

    @property
    def has_all(self) -> bool:
        """Whether it runs what nothing else may run beside."""
        first = self.sent[0] if self.sent else None
        return first is not None and first.only

    @property
    def keeps_others(self) -> bool:
        """Whether fits are queued behind the one at hand."""
        return len(self.sent) > 1 and self.sent[-1] is not None

    def tasks(self) -> list[Task]:
        """Return the tasks that it has and nobody else."""
        return [task for task in self.sent if task is not None]

    def disown(self) -> list[Task]:
        """Return the tasks that are queued behind the one at hand; what it finds for them will count for nothing."""
        at_hand = self.at_hand()
        queued = [task for task in self.tasks() if task is not at_hand]
        self.sent = deque(task if task is at_hand else None for task in self.sent)
        return queued

    def send(self, batch: Sequence[Task]) -> None:
        """Send fits; a worker that has ended meanwhile leaves them for another."""
        pickled = cloudpickle.dumps([task.fit for task in batch])
        for task in batch:
            task.send()
        self.sent.extend(batch)
        self._n_sent += len(batch)
        self._unread.append((self._n_sent, len(pickled)))
        with suppress(OSError):
            self.connection.send_bytes(pickled)

    def messages(self) -> Sequence[tuple[str, Any]]:
        """Return what it has sent.

        Raises
        ------
        EOFError
            It has ended, and all that it had sent has been returned before.
        """
        if not self.connection.poll():
            if self._process.exitcode is None:
                return []
            raise EOFError
        said: tuple[str, Any] = cloudpickle.loads(self.connection.recv_bytes())
        return [said]

    def next_ended(self) -> Task | None:
        """Return the task whose scores have come; None if another worker has it now."""
        self._n_ended += 1
        return self.sent.popleft()

    def at_hand(self) -> Task | None:
        """Return the task that it is fitting, or was when it ended."""
        ended, began = self._marker.read()
        place = ended - self._n_ended
        return self.sent[place] if began and place < len(self.sent) else None

    def left(self, limit: float) -> float:
        """Return the seconds that the fit at hand still has; each candidate of it may take `limit`."""
        _, began = self._marker.read()
        task = self.at_hand()
        return limit if task is None else began + limit * len(task.fit.candidates) - time.monotonic()

    def starved(self) -> bool:
        """Whether the kernel has ended processes for want of memory since the worker began."""
        return deaths.oom_kills() > self._kills

    def kill(self) -> None:
        """End it and what it has started at once."""
        self._kill()
        self.end()

    def _kill(self) -> None:
        if self._process.exitcode is None:
            groups.kill(self._process.pid)

    def dismiss(self, kill: bool) -> None:
        """Tell it that nothing more will come."""
        if kill:
            self.kill()
        self.connection.close()

    def end(self) -> tuple[int, str]:
        """Wait for its end, and return its exit code and what it wrote when it crashed."""
        self._process.join(_ENDS_WITHIN)
        if self._process.exitcode is None:
            self._kill()
            self._process.join()
        self.connection.close()
        crash = ""
        with suppress(FileNotFoundError):
            crash = self._crash_file.read_text(encoding="utf-8", errors="replace")
        for path in (self._crash_file, self._marker_file):
            with suppress(OSError):  # Windows removes no file that is mapped; its folder goes in the end
                path.unlink()
        return int(self._process.exitcode), crash
