"""Memory that a sweep has on this machine: of this process, and what its workers have for themselves."""

from __future__ import annotations

import time
from contextlib import suppress

import psutil

_SECONDS = 2.0


class Memory:
    """Looks now and then: counting the pages of many processes takes a while."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._limit = psutil.virtual_memory().total
        self._looked_at = -_SECONDS
        self._used = 0

    def words(self, limit: float | None = None) -> str:
        """Say how much it is, and of how much: the budget's, or all that there is."""
        if time.monotonic() - self._looked_at >= _SECONDS:
            self._looked_at, self._used = time.monotonic(), self._look()
        return f"{self._used / 1e9:.1f} of {(limit or self._limit) / 1e9:.3g} GB"

    def _look(self) -> int:
        used = int(self._process.memory_info().rss)
        with suppress(psutil.Error):
            for child in self._process.children(recursive=True):
                with suppress(psutil.Error):
                    info = child.memory_info()
                    used += info.rss - getattr(info, "shared", 0)
        return used
