"""Who follows which job, so that a command typed twice on purpose is two jobs and one typed after a loss is one.

A lock on a file says it and not a process id in one: the system lets go of the lock however the process ends.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from cache.locks import HeldFile, is_held


def _folder() -> Path:
    """Return this user's own among the temporary folders; Windows has those for each user anyway."""
    name = "gridfold"
    if sys.platform != "win32":
        name += f"-{os.getuid()}"
    return Path(tempfile.gettempdir()) / name


class Follower:
    """Holds the lock on one run's job for the length of a ``with`` block."""

    def __init__(self, run_id: str) -> None:
        _folder().mkdir(mode=0o700, exist_ok=True)
        self._path = _folder() / run_id
        self._held: HeldFile | None = None

    def __enter__(self) -> Self:
        self._held = HeldFile.take(self._path, wait=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._held is not None:
            self._held.release()


def followed_elsewhere(run_id: str) -> bool:
    """Whether another process of this user on this machine follows the run's job."""
    return is_held(_folder() / run_id)
