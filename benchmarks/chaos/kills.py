"""What is killed, and what a person does about it: begin the same command again, or only start what was lost."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.chaos.place import Place
from tests.services import postgres
from tests.services.mlflow_server import MlflowServer


@dataclass(frozen=True)
class Kind:
    """One kind of victim.

    Attributes
    ----------
    kill : callable
        Takes the command's process and the draw; kills, and says whether there was anything to kill.
    ends_the_command : bool
        Whether the command is to be begun again.
    hits_fits : bool
        Whether a fit that it hits twice fails, as it should: so none is hit twice.
    by_mlflow : bool
        Whether the command is ``mlflow run``.
    store : str
        The tracking URI, where it is not a file.
    engine : tuple of str
        Arguments that choose the engine.
    """

    kill: Callable[[psutil.Process, random.Random], bool]
    ends_the_command: bool = False
    hits_fits: bool = False
    by_mlflow: bool = False
    store: str = ""
    engine: tuple[str, ...] = ()


@contextmanager
def driver(_: Path) -> Iterator[Kind]:
    """The entry point's own process."""
    yield Kind(_kill, ends_the_command=True)


@contextmanager
def worker(_: Path) -> Iterator[Kind]:
    """A process that fits."""
    yield Kind(lambda command, draw: _kill_one(command, draw, "popen_loky_posix"), hits_fits=True)


@contextmanager
def mlflow_run(_: Path) -> Iterator[Kind]:
    """``mlflow run``, but not what it has started."""
    yield Kind(_kill, ends_the_command=True, by_mlflow=True)


@contextmanager
def server(folder: Path) -> Iterator[Kind]:
    """The tracking server; someone starts it again."""
    tracking = MlflowServer(_made(folder / "server"))
    tracking.start()
    try:
        yield Kind(lambda *_: _restarted(tracking.kill, tracking.start), store=tracking.address)
    finally:
        tracking.stop()


@contextmanager
def database(folder: Path) -> Iterator[Kind]:
    """The PostgreSQL behind a tracking server, as by a power cut; someone starts it again."""
    with ExitStack() as open_:
        cluster = open_.enter_context(postgres.running())
        tracking = MlflowServer(_made(folder / "server"), store=cluster.address)
        tracking.start()
        open_.callback(tracking.stop)
        yield Kind(lambda *_: _restarted(lambda: cluster.stop(at_once=True), cluster.start), store=tracking.address)


@contextmanager
def spark_executor(_: Path) -> Iterator[Kind]:
    """An executor's Java process, or a Python process of its."""
    from tests.services.spark_cluster import SparkCluster

    with SparkCluster(n_workers=2) as cluster:

        def kill(_: psutil.Process, draw: random.Random) -> bool:
            found = [*cluster.executors(), *cluster.python_workers()]
            return bool(found) and _kill(psutil.Process(draw.choice(found)), draw)

        yield Kind(kill, engine=("--engine", "spark", "--master", cluster.master))


KINDS: Mapping[str, Callable[[Path], Any]] = {
    "driver": driver,
    "worker": worker,
    "mlflow-run": mlflow_run,
    "server": server,
    "database": database,
    "spark-executor": spark_executor,
}


def end_all(place: Place) -> None:
    """End what is left of a sweep, so that it does no harm to the next."""
    for process in place.processes():
        with suppress(psutil.Error):
            process.kill()


def _kill(process: psutil.Process, _: random.Random) -> bool:
    try:
        os.kill(process.pid, signal.SIGKILL)
    except OSError:
        return False
    return True


def _kill_one(command: psutil.Process, draw: random.Random, word: str) -> bool:
    found = []
    with suppress(psutil.Error):
        for child in command.children(recursive=True):
            with suppress(psutil.Error):
                found += [child] if word in " ".join(child.cmdline()) else []
    return bool(found) and _kill(draw.choice(found), draw)


def _restarted(kill: Callable[[], None], start: Callable[[], None]) -> bool:
    kill()
    start()
    return True


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder
