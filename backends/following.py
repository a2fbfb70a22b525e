"""Who follows which job, so that a command typed twice on purpose is two jobs and one typed after a loss is one.

A lock on a file says it and not a process id in one: the system lets go of the lock however the process ends.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Self

_FOLDER = Path(tempfile.gettempdir()) / f"gridfold-{os.getuid()}"


class Follower:
    """Holds the lock on one run's job for the length of a ``with`` block."""

    def __init__(self, run_id: str) -> None:
        _FOLDER.mkdir(mode=0o700, exist_ok=True)
        self._path = _FOLDER / run_id
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        self._file = self._path.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._path.unlink(missing_ok=True)
        if self._file is not None:
            self._file.close()


def followed_elsewhere(run_id: str) -> bool:
    """Whether another process of this user on this machine follows the run's job."""
    path = _FOLDER / run_id
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
