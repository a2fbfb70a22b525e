"""What runs in the Python workers of the executors.

Nothing here is pickled by value, and nothing raises: Spark would run a task that raises three times more, and end the
job. So an answer comes back in any case, and the driver decides what it means.
"""

from __future__ import annotations

import faulthandler
import io
import pickle
import signal
import socket
import sys
import time
import zipfile
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass, replace
from importlib import import_module, invalidate_caches
from pathlib import Path
from types import FrameType
from typing import Any

import pyarrow as pa
from threadpoolctl import threadpool_limits

from tuning.control import Until
from tuning.engines.batches import Batch
from tuning.engines.tasks import failed
from tuning.fitting import run_fit
from tuning.learners.keeper import FoldKeeper
from tuning.plan import Fit
from tuning.spec.modules import look_in_archive
from tuning.warned import one_line
from tuning.workload import Workload

Answer = tuple[str, Any, float]
"""Its kind, what it says, and the seconds that the fit took: ``SCORES`` and a list of FoldScore, ``OVERDUE`` and the
seconds that the fit has exceeded, or ``TROUBLE`` and a sentence for a person."""

SCORES, TROUBLE, OVERDUE = "scores", "trouble", "overdue"
_BUFFER = 2**20
_GRACE = 10.0  # seconds for a fit whose time is up to end in, before its process is ended
LIBRARIES = ("sklearn", "xgboost")
"""Libraries whose versions scores depend on; the estimator's own is added to them."""

_kept: dict[str, tuple[Workload, FoldKeeper]] = {}


@dataclass(frozen=True)
class PackedWorkload:
    """A workload on its way to the workers.

    Attributes
    ----------
    sweep : str
        Its name: no two sweeps have the same.
    workload : Workload
        Without its estimator.
    estimator : bytes
        Pickled apart, by whoever can pickle a class of the user's own notebook.
    versions : mapping of str to str
        Of the libraries on the driver's side.
    """

    sweep: str
    workload: Workload
    estimator: bytes
    versions: Mapping[str, str]

    @classmethod
    def pack(cls, sweep: str, workload: Workload, pickle_estimator: Callable[[Any], bytes]) -> PackedWorkload:
        """Make ready to be sent."""
        estimator = workload.estimator
        return cls(sweep, replace(workload, estimator=None), pickle_estimator(estimator), _versions_for(estimator))

    def write(self, path: Path) -> None:
        """Write it to a file, compressed: Spark does that to a broadcast variable, but to no file."""
        with pa.CompressedOutputStream(str(path), "zstd") as file:
            pickle.dump(self, file, protocol=pickle.HIGHEST_PROTOCOL)

    @classmethod
    def read(cls, name: str) -> PackedWorkload:
        """Read the file that Spark has brought under this name."""
        from pyspark import SparkFiles

        with pa.CompressedInputStream(SparkFiles.get(name), "zstd") as file:
            packed: PackedWorkload = pickle.load(io.BufferedReader(file, _BUFFER))
        return packed

    def unpack(self) -> Workload:
        """Put together what was sent.

        Raises
        ------
        LibraryMismatchError
            This process's libraries are not the driver's.
        """
        _check_versions(self.versions)
        return replace(self.workload, estimator=pickle.loads(self.estimator))


def work(sweep: str, load: Callable[[], PackedWorkload], pickled: bytes, modules: str | None = None) -> list[Answer]:
    """Run the fits of a batch, one after the other.

    Parameters
    ----------
    sweep : str
        Names the workload, which is kept for the next batch; that of another sweep is let go.
    load : callable
        Gives the workload, where it is not here yet.
    pickled : bytes
        The Batch.
    modules : str or None
        The file, among those that Spark has brought, that the user's own modules are to be imported from.

    Returns
    -------
    list of Answer
        One for each fit that has begun, and one where there is none to run. After an answer without scores no more
        fits begin, and neither when the batch has lasted for long enough.
    """
    try:
        workload, keeper = _workload(sweep, load, modules)
        batch: Batch = pickle.loads(pickled)
    except Exception as error:
        return [(TROUBLE, _trouble(error), 0.0)]
    if not batch.fits:
        return [(SCORES, [], 0.0)]
    answers: list[Answer] = []
    begun = time.monotonic()
    with threadpool_limits(batch.fits[0].threads):
        for fit in batch.fits:
            answers.append(_answer(workload, fit, keeper))
            if answers[-1][0] != SCORES or time.monotonic() - begun > batch.enough:
                break
    return answers


def _answer(workload: Workload, fit: Fit, keeper: FoldKeeper) -> Answer:
    begun = time.monotonic()
    try:
        kind, content = _run(workload, fit, keeper)
    except CancelledError:
        kind, content = OVERDUE, workload.max_fit_time
    except KeyboardInterrupt as error:  # a fit's own: nobody sits before an executor
        kind, content = SCORES, failed(fit, one_line(error))
    except Exception as error:
        kind, content = TROUBLE, _trouble(error)
    return kind, content, time.monotonic() - begun


def _trouble(error: Exception) -> str:
    """Say why this worker cannot run fits."""
    if isinstance(error, LibraryMismatchError):
        return str(error)
    if isinstance(error, ModuleNotFoundError):
        return lacking(error)
    if isinstance(error, MemoryError):
        return (
            f"worker {socket.gethostname()} has too little memory for the data and a fit. Give executors more "
            "(spark.executor.memoryOverhead, or spark.executor.pyspark.memory where that is set) or fewer cores."
        )
    return f"worker {socket.gethostname()} cannot read the sweep ({type(error).__name__}: {error})."


def _run(workload: Workload, fit: Fit, keeper: FoldKeeper) -> tuple[str, Any]:
    """Run the fit, for as long as each of its candidates may take.

    It is asked to end, then interrupted between two steps of Python; if it is not, its process ends, and Spark tries it
    in others.
    """
    if workload.max_fit_time is None:
        return SCORES, run_fit(workload, fit, keeper)
    seconds = workload.max_fit_time * len(fit.candidates)
    until = time.monotonic() + seconds
    if sys.platform == "win32":  # which has no alarms: the fit is asked to end, no more
        return SCORES, run_fit(workload, fit, keeper, Until(until))
    before = signal.signal(signal.SIGALRM, _interrupt)
    faulthandler.dump_traceback_later(seconds + _GRACE, exit=True)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return SCORES, run_fit(workload, fit, keeper, Until(until))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGALRM, before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise CancelledError


def lacking(error: ModuleNotFoundError) -> str:
    """Say which worker lacks which package, and what to do."""
    package = (error.name or str(error)).partition(".")[0]
    return (
        f"worker {socket.gethostname()} lacks the package '{package}' (its Python is {sys.executable}). "
        f"Install {package} there, or set PYSPARK_PYTHON to the Python of an environment that has it."
    )


class LibraryMismatchError(Exception):
    """The worker's libraries are not the driver's."""


def _workload(sweep: str, load: Callable[[], PackedWorkload], modules: str | None) -> tuple[Workload, FoldKeeper]:
    if sweep not in _kept:
        _kept.clear()
        if modules:
            _import_from(modules)
        workload = load().unpack()
        _kept[sweep] = workload, FoldKeeper(workload)
    return _kept[sweep]


def _import_from(archive: str) -> None:
    """Prefer `archive` to those of earlier sweeps, of which this process may hold modules of the same names."""
    entry = next(entry for entry in sys.path if Path(entry).name == archive)
    sys.path.remove(entry)
    sys.path.insert(1, entry)
    with zipfile.ZipFile(entry) as packed:
        roots = {name.partition("/")[0].removesuffix(".py") for name in packed.namelist()}
    for name in [name for name in sys.modules if name.partition(".")[0] in roots]:
        del sys.modules[name]
    invalidate_caches()
    look_in_archive(Path(entry))


def _versions_for(estimator: Any) -> dict[str, str]:
    own = type(estimator).__module__.partition(".")[0]
    return {name: str(getattr(sys.modules.get(name), "__version__", "")) for name in (*LIBRARIES, own)}


def _check_versions(versions: Mapping[str, str]) -> None:
    for name, expected in versions.items():
        if not expected:
            continue
        found = str(getattr(import_module(name), "__version__", ""))
        if found != expected:
            raise LibraryMismatchError(
                f"worker {socket.gethostname()} has {name} {found}, the driver {expected}, so scores could differ. "
                f"Install {name} {expected} there."
            )
