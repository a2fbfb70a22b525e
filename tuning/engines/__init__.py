"""Engines: where fits run. A new one is a file here and a line in ``ENGINES``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from errors import GridfoldError, did_you_mean
from tuning.engines.base import Engine
from tuning.engines.local import LocalEngine

ENGINES: Mapping[str, Callable[[int], Engine]] = {"local": LocalEngine}
AUTO = "auto"

__all__ = ["AUTO", "ENGINES", "Engine", "LocalEngine", "check_engine", "open_engine"]


def check_engine(name: str) -> None:
    """Refuse a name that is neither ``auto`` nor that of an engine.

    Raises
    ------
    GridfoldError
        With the nearest right spelling.
    """
    known = (AUTO, *ENGINES)
    if name not in known:
        hint = did_you_mean(name, known) or f" Choose one of {', '.join(known)}."
        raise GridfoldError(f"engine: there is no engine '{name}'.{hint}")


@contextmanager
def open_engine(name: str, cores: int = 0) -> Iterator[Engine]:
    """Give the engine called `name`; leaving the block by an exception cancels what still runs.

    Parameters
    ----------
    name : str
        A key of ``ENGINES``, or ``auto``.
    cores : int
        Fits side by side; 0 for as many as there are cores.
    """
    check_engine(name)
    engine = ENGINES["local" if name == AUTO else name](cores)
    try:
        yield engine
    except BaseException:
        engine.close(cancel=True)
        raise
    engine.close()
