"""Something done every so often on a thread of its own, so that nothing is silent while the main thread works."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

_SECONDS = 0.5


class Ticker:
    """Calls `tick` twice a second until the block is left.

    Parameters
    ----------
    tick : callable
    seconds : float
        Between two calls.
    """

    def __init__(self, tick: Callable[[], None], seconds: float = _SECONDS) -> None:
        self._tick = tick
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="progress", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def _go_on(self) -> None:
        while not self._stop.wait(self._seconds):
            self._tick()
