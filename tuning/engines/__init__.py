"""Engines: where fits run. A new one is a file here and a line in ``ENGINES``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from joblib import cpu_count

from errors import GridfoldError, did_you_mean
from tuning.engines.base import Engine
from tuning.engines.local import LocalEngine
from tuning.engines.spark import SparkEngine
from tuning.engines.spark import session as spark_session

ENGINES: Mapping[str, Callable[[int, str | None], Engine]] = {
    "local": lambda cores, master: LocalEngine(cores),
    "spark": SparkEngine,
}
AUTO = "auto"
_MOST_WORKERS, _MOST_WORKERS_A_CORE = 64, 8

__all__ = [
    "AUTO",
    "ENGINES",
    "Engine",
    "LocalEngine",
    "SparkEngine",
    "check_engine",
    "choose_engine",
    "open_engine",
    "stays_here",
]


def check_engine(name: str, master: str | None = None, cores: int = 0) -> None:
    """Refuse, before any work, an engine that cannot be had, or not with so many `cores`.

    Raises
    ------
    GridfoldError
        There is no engine of that name (with the nearest right spelling), or `master` is for another one.
    EngineError
        There is no Spark where the engine needs one.
    """
    known = (AUTO, *ENGINES)
    if name not in known:
        hint = did_you_mean(name, known) or f" Choose one of {', '.join(known)}."
        raise GridfoldError(f"engine: there is no engine '{name}'.{hint}")
    if name == "local" and master:
        raise GridfoldError(f"master: engine local has none, got '{master}'. Use -P engine=spark, or leave master out.")
    if choose_engine(name, master) == "spark":
        spark_session.check(master)
    elif cores > (most := max(_MOST_WORKERS, _MOST_WORKERS_A_CORE * cpu_count())):
        raise GridfoldError(
            f"cores: {cores:,} fits side by side are more than this machine's {cpu_count()} cores can carry. Ask for "
            f"{most} or fewer; 0 is one on each core."
        )


def choose_engine(name: str, master: str | None = None) -> str:
    """Return the engine that `name` means here: ``auto`` is spark where there is a Spark to use, else local."""
    if name != AUTO:
        return name
    return "spark" if spark_session.is_wanted(master) else "local"


def stays_here(name: str, master: str | None = None) -> str:
    """Say in a line why ``auto`` is local though there is Spark Connect; empty where there is nothing to say."""
    return spark_session.stays_here() if name == AUTO and not master else ""


@contextmanager
def open_engine(name: str, cores: int = 0, master: str | None = None) -> Iterator[Engine]:
    """Give the engine called `name`; leaving the block by an exception cancels what still runs.

    Parameters
    ----------
    name : str
        A key of ``ENGINES``, or ``auto``.
    cores : int
        Fits side by side; 0 for as many as there are cores.
    master : str or None
        Address of a Spark master; None or empty for the session that exists.
    """
    check_engine(name, master, cores)
    engine = ENGINES[choose_engine(name, master)](cores, master)
    try:
        yield engine
    except BaseException:
        engine.close(cancel=True)
        raise
    engine.close()
