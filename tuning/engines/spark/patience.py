"""Calls into Spark that may take longer than a person should wait."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any

from errors import EngineError

STARTS_WITHIN = 180.0
"""Seconds that a session, and then the first executor, may take; a YARN queue is slow."""

_ANSWERS_WITHIN = 10.0


def within(seconds: float, call: Callable[[], Any], complaint: str) -> Any:
    """Return what `call` returns, or raise EngineError with `complaint` when it takes too long."""
    outcome: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            outcome.put((call(), None))
        except BaseException as error:
            outcome.put((None, error))

    threading.Thread(target=run, name="spark-start", daemon=True).start()
    try:
        result, error = outcome.get(timeout=seconds)
    except Empty:
        raise EngineError(complaint) from None
    if error is not None:
        raise error
    return result


def places(master: str) -> list[tuple[str, int]]:
    """Return the hosts and ports that ``spark://`` names.

    Raises
    ------
    EngineError
        One has no port.
    """
    found = []
    for address in master.removeprefix("spark://").split(","):
        host, _, port = address.rpartition(":")
        try:
            found.append((host.strip("[]"), int(port)))
        except ValueError:
            raise EngineError(f"master: '{master}' has no port. Write spark://HOST:PORT.") from None
    return found


def check_answers(places: Sequence[tuple[str, int]], master: str) -> None:
    """Try to connect; several places may be named, for the case that one is down.

    Raises
    ------
    EngineError
        Nobody answers at any of them.
    """
    refusals = []
    for place in places:
        try:
            socket.create_connection(place, _ANSWERS_WITHIN).close()
        except OSError as error:
            refusals.append(error.strerror or str(error))
        else:
            return
    raise EngineError(
        f"master: {master} does not answer ({refusals[0]}). Check that it runs and that this machine reaches its port."
    )
