"""What runs in a worker process of this machine: fits, one after the other, until nobody wants more of them.

A fit may end its process, in compiled code or by ``os._exit``, so where the worker is stands in a page of memory that
it shares with its parent: how many fits it has ended, and when the one at hand began. Whoever is to blame is known
from that, and nothing has to be sent before each fit.
"""

from __future__ import annotations

import atexit
import faulthandler
import gc
import mmap
import os
import struct
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import cloudpickle
import joblib
import psutil
from threadpoolctl import threadpool_limits

from tuning.engines import groups
from tuning.engines.tasks import Scores, failed
from tuning.fitting import run_fit
from tuning.learners.keeper import FoldKeeper
from tuning.plan import Fit
from tuning.warned import one_line
from tuning.workload import Workload

READY, SCORES, BROKEN = "ready", "scores", "broken"

_PLACE = struct.Struct("<Qd")
_FLUSH_SECONDS = 0.05
_LOOK_SECONDS = 1.0
_GROWTH = 500 * 2**20  # bytes of its own that a worker may gain before another takes its place
_LOSES_FIRST = "500"  # of 1000: the kernel, when memory runs out, ends a worker rather than who can start another


class Marker:
    """Where a worker is, in a file that it and its parent have mapped.

    Parameters
    ----------
    path : Path
        Made where it does not exist, with its bytes: a hole in it could not be written to on a full disk.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(_PLACE.size))
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), _PLACE.size)

    def write(self, ended: int, began: float = 0.0) -> None:
        """Say how many fits have ended, and when (``time.monotonic``) the one at hand began; 0 for none."""
        _PLACE.pack_into(self._page, 0, ended, began)

    def read(self) -> tuple[int, float]:
        """Return what was written last."""
        ended, began = _PLACE.unpack_from(self._page, 0)
        return int(ended), float(began)


def serve(connection: Connection, workload: Path, marker: Path, crash: Path, parent: int) -> None:
    """Run the fits that come over `connection` until it ends.

    Parameters
    ----------
    connection : Connection
        Brings pickled lists of fits; takes ``(READY, None)``, then ``(SCORES, (one list for each fit, seconds))``. What
        keeps the worker from its work is sent as ``(BROKEN, words)``.
    workload : Path
        Its arrays are mapped from the file, so that all workers read the same pages of memory.
    marker, crash : Path
        Files for where the worker is, and for where it crashed.
    parent : int
        The process that the worker must not outlive.
    """
    end_with(parent)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_LOSES_FIRST, encoding="ascii")
    faulthandler.enable(crash.open("w", encoding="utf-8"))
    try:
        loaded: Workload = joblib.load(workload, mmap_mode="r")
    except BaseException as error:
        connection.send_bytes(cloudpickle.dumps((BROKEN, one_line(error))))
        return
    with suppress(EOFError, OSError):  # the parent has closed it, or is gone
        _Worker(connection, loaded, Marker(marker)).run()
    _leave()


def _leave() -> None:
    """End this process, for which its parent waits, as multiprocessing ends one that it has forked.

    What is registered for the end is done. Modules are not taken down one by one: with scikit-learn and what it imports
    that takes half a second.
    """
    try:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(0)


def end_with(parent: int) -> None:
    """End this process, and what it has started, when the process `parent` ends, whatever ends that.

    The worker leads a process group of its own: a terminal's Ctrl-C is for the parent, which then ends the worker.
    """
    groups.lead()
    groups.die_with_parent()
    threading.Thread(target=groups.end_after, args=(parent,), name="parent-watch", daemon=True).start()


class _Worker:
    def __init__(self, connection: Connection, workload: Workload, marker: Marker) -> None:
        self._connection = connection
        self._workload = workload
        self._keeper = FoldKeeper(workload)
        self._marker = marker
        self._queue: deque[Fit] = deque()
        self._ended = 0
        self._found: list[Scores] = []
        self._seconds = 0.0
        self._sent_at = self._looked_at = time.monotonic()
        self._own_bytes: int | None = None

    def run(self) -> None:
        """Fit until there is nothing more to come, or until so much memory is lost that a new process is better."""
        self._connection.send_bytes(cloudpickle.dumps((READY, None)))
        limits, threads = None, 0
        while not self._has_grown():
            if not self._queue:
                self._send()
                self._queue.extend(cloudpickle.loads(self._connection.recv_bytes()))
                threads = 0
            fit = self._queue.popleft()
            if fit.threads != threads:  # looks through all libraries, so not for every fit
                limits, threads = threadpool_limits(fit.threads), fit.threads
            self._fit(fit)
            if time.monotonic() - self._sent_at > _FLUSH_SECONDS:
                self._send()
        self._send()
        del limits

    def _fit(self, fit: Fit) -> None:
        began = time.monotonic()
        self._marker.write(self._ended, began)
        try:
            scores = run_fit(self._workload, fit, self._keeper)
        except BaseException as error:  # ours, or what run_fit lets through: nobody can interrupt this process
            scores = failed(fit, one_line(error))
        self._ended += 1
        self._marker.write(self._ended)
        self._found.append(scores)
        self._seconds += time.monotonic() - began

    def _send(self) -> None:
        """Send what has been found and not been sent."""
        self._sent_at = time.monotonic()
        if self._found:
            self._connection.send_bytes(_pickled(self._found, self._seconds))
            self._found, self._seconds = [], 0.0

    def _has_grown(self) -> bool:
        """Whether the estimators leak: the process has gained much memory that is not the workload's."""
        now = time.monotonic()
        if self._own_bytes is not None and now - self._looked_at < _LOOK_SECONDS:
            return False
        self._looked_at = now
        if self._own_bytes is None:
            self._own_bytes = _own_bytes() if self._ended else None
            return False
        if _own_bytes() - self._own_bytes < _GROWTH:
            return False
        gc.collect()
        return _own_bytes() - self._own_bytes >= _GROWTH


def _own_bytes() -> int:
    memory = psutil.Process().memory_info()
    return int(memory.rss - getattr(memory, "shared", 0))


def _pickled(found: list[Scores], seconds: float) -> bytes:
    try:
        pickled: bytes = cloudpickle.dumps((SCORES, (found, seconds)))
    except Exception:  # one of them holds what cannot be sent
        sendable = [_sendable(scores) for scores in found]
        pickled = cloudpickle.dumps((SCORES, (sendable, seconds)))
    return pickled


def _sendable(scores: Scores) -> Any:
    try:
        cloudpickle.dumps(scores)
    except Exception as error:
        return failed(Fit(scores[0].fold, tuple(score.candidate for score in scores)), one_line(error))
    return scores
