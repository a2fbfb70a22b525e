"""Fits over Spark Connect: the data as a file of the session, every fit, or some short ones, an operation over one row.

There is no broadcast, but the server hands a session's files to each executor once, and a Python worker keeps what it
has read. The client waits for an operation by one call that returns when it has ended, so each has a thread; these are
daemons, since a server that is gone is called again for ten minutes, which nobody should have to wait for at the end.
"""

from __future__ import annotations

import pickle
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from errors import EngineError
from tuning.engines.batches import Batch
from tuning.engines.spark import failures, limits, remote
from tuning.engines.spark.code import archive, archive_of, scratch
from tuning.engines.spark.patience import within
from tuning.engines.spark.worker import Answer, PackedWorkload
from tuning.workload import Workload

UNKNOWN_SIZE = 8
"""Fits side by side where the server does not tell how many cores it has, and nobody has said a number."""

_ANSWER = "answer binary"
_SIZE = re.compile(r"splits=(\d+)")
_ASKS_AGAIN = 5.0  # seconds for which the number of cores is taken to be what it was
_ANSWERS_WITHIN = 10.0
_KILLS_WITHIN = 2.5  # seconds: Spark gives the Python of a cancelled task two (spark.python.task.killTimeout)


class ConnectCluster:
    """A session of Spark Connect.

    Parameters
    ----------
    session : SparkSession
    sweep : str
        Tags the operations.
    borrowed : bool
        Whether the session is somebody's, who goes on with it: files cannot be taken back from a session, so the sweep
        gets one of its own on the same connection, where this version of pyspark can open one.
    """

    def __init__(self, session: Any, sweep: str, borrowed: bool) -> None:
        self._session = session
        self._own = remote.beside(session) if borrowed else session
        self._sweep = sweep
        self._row: Any = None
        self._file = ""
        self._modules: str | None = None
        self._jobs: set[Future[list[Answer]]] = set()
        self._cut_at: float | None = None
        self._cores, self._asked_at = 0, 0.0
        self.task_threads = remote.task_threads(self._own)

    @property
    def slots(self) -> int:
        """Tasks that can run side by side, as the server said lately; `UNKNOWN_SIZE` where it does not."""
        return max(1, self._cores // self.task_threads) if self._cores else UNKNOWN_SIZE

    def share(self, workload: Workload) -> None:
        """Upload `workload` and the code, as files of the session.

        Raises
        ------
        EngineError
            The server does not take them.
        """
        from pyspark import cloudpickle

        own = archive_of(workload.own_modules())
        self._modules = own.name if own else None
        data = scratch() / f"{self._sweep}.data"
        limits.check_disk(data.parent, limits.n_bytes(workload), "TMPDIR")
        try:
            PackedWorkload.pack(self._sweep, workload, cloudpickle.dumps).write(data)
            self._file = data.name
            self._send(data, [path for path in (archive(), own) if path])
        finally:
            data.unlink(missing_ok=True)
        self._row = self._own.range(0, 1, 1, 1)
        self._ask_for_size()

    def _send(self, data: Path, code: Iterable[Path]) -> None:
        """Upload; pyspark puts code on our own path as well, where it has no place."""
        path = list(sys.path)
        try:
            self._own.addArtifacts(*map(str, code), pyfile=True)
            self._own.addArtifacts(str(data), file=True)
        except Exception as error:
            size = f"{data.stat().st_size / 2**20:,.0f} MiB"
            raise EngineError(
                f"the Spark Connect server did not take the sweep's code and data ({size}, compressed): "
                f"{failures.first_line(str(error))} It may limit the files of a session, or have no disk left for them."
            ) from error
        finally:
            sys.path[:] = path

    def begin(self, batch: Batch, label: str) -> Future[list[Answer]]:
        """Submit the operation of a batch; one without fits only loads the workload.

        Raises
        ------
        EngineError
            The server is lost.
        """
        job: Future[list[Answer]] = Future()
        pickled = pickle.dumps(batch)
        with self._explained():
            frame = self._row.mapInArrow(_task(self._sweep, self._file, pickled, self._modules), _ANSWER)
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
        threading.Thread(target=self._run, args=(frame, job), name="spark-operation", daemon=True).start()
        return job

    def _run(self, frame: Any, job: Future[list[Answer]]) -> None:
        """Wait for an operation of this very thread, which its tag is of."""
        with suppress(InvalidStateError):  # nobody waits for it any more
            try:
                with self._explained():
                    self._own.addTag(self._sweep)
                    [row] = frame.collect()
                    self._ask_for_size()
                job.set_result(pickle.loads(bytes(row[0])))
            except BaseException as error:
                job.set_exception(error)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            raise failures.explain(error) from error

    def finish(self, job: Future[list[Answer]]) -> list[Answer]:
        """Wait for an operation that has begun, and return what the worker answers.

        Raises
        ------
        EngineError
            The server is lost.
        failures.CrashError
            The fit took its worker down, again and again.
        CancelledError
            ``cancel`` was called.
        """
        return job.result()

    def cancel(self) -> None:
        """Cancel the operations that have been submitted; those of a server that does not answer are given up.

        Raises
        ------
        ConnectionError
            The server does not answer.
        """
        self._cut_at = time.monotonic()
        try:
            within(_ANSWERS_WITHIN, lambda: self._own.interruptTag(self._sweep), "it does not answer")
        except Exception as error:
            for job in list(self._jobs):
                with suppress(InvalidStateError):
                    job.set_exception(CancelledError())
            raise ConnectionError("the Spark Connect server does not answer") from error

    def busy(self) -> bool:
        """Whether a task of a cancelled operation may still run: Connect does not tell, but Spark kills it in time."""
        return self._cut_at is not None and time.monotonic() - self._cut_at < _KILLS_WITHIN

    def lost(self) -> str:
        """Return nothing: of a server that is gone every job says so."""
        return ""

    def close(self) -> None:
        """Release the sweep's session with its files, of which executors would keep their copies until they end."""
        if self._file:
            with suppress(Exception):  # the server is gone, or its executors have other work
                within(_ANSWERS_WITHIN, self._remove_copies, "busy")
        if self._own is not self._session:
            _release(self._own)

    def _remove_copies(self) -> None:
        """Run as many tasks at once as there are slots, so that each executor has one, until none finds a copy."""
        tasks = self._own.range(0, self.slots, 1, self.slots).mapInArrow(_removal(self._file), _ANSWER)
        while tasks.collect():
            pass

    def stop(self) -> None:
        """Release the session."""
        _release(self._session)

    def _ask_for_size(self) -> None:
        """Look up how many cores there are, unless that was a moment ago.

        What Spark plans for a range of numbers is as many parts as its executors have cores: a plan, which costs no job
        and which every client may see.
        """
        if time.monotonic() - self._asked_at < _ASKS_AGAIN and self._asked_at:
            return
        self._asked_at = time.monotonic()
        with suppress(Exception):  # a server of another make may word it otherwise
            [plan] = self._own.sql("EXPLAIN SELECT * FROM range(1000000)").collect()
            if found := _SIZE.search(str(plan[0])):
                self._cores = int(found[1])


def _release(session: Any) -> None:
    with suppress(EngineError):  # the server is gone, and the session with it
        within(_ANSWERS_WITHIN, session.stop, "it does not answer")


def _task(sweep: str, file: str, pickled: bytes, modules: str | None) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """Make the function that a worker runs; an inner one, for the reason that ``classic`` has."""
    ours = PackedWorkload.__module__

    def task(batches: Iterable[Any]) -> Iterator[Any]:
        import pickle

        import pyarrow as pa

        for _ in batches:  # Spark keeps a Python worker for the next task only where its input was read to the end
            pass
        try:
            from importlib import import_module

            worker = import_module(ours)
        except ModuleNotFoundError as error:
            import socket
            import sys

            package = (error.name or "").partition(".")[0]
            answers: list[Answer] = [("lacking", (socket.gethostname(), package, sys.executable), 0.0)]
        else:
            answers = worker.work(sweep, lambda: worker.PackedWorkload.read(file), pickled, modules)
        yield pa.RecordBatch.from_arrays([pa.array([pickle.dumps(answers)], pa.binary())], ["answer"])

    return task


def _removal(file: str) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """Make the function that removes an executor's copy of the data."""

    def task(batches: Iterable[Any]) -> Iterator[Any]:
        import time
        from pathlib import Path

        import pyarrow as pa
        from pyspark import SparkFiles

        for _ in batches:
            pass
        found = Path(SparkFiles.get(file))
        if found.exists():
            found.unlink(missing_ok=True)
            yield pa.RecordBatch.from_arrays([pa.array([b""], pa.binary())], ["answer"])
        time.sleep(0.2)  # so that no other executor's task comes here instead

    return task
