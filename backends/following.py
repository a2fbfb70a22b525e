"""Who follows which job, so that a command typed twice on purpose is two jobs and one typed after a loss is one.

A lock on a file says it and not a process id in one: the system lets go of the lock however the process ends. A command
holds it from before its job is there, since the same command typed beside it would else find a job without a follower.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cache import fingerprint
from cache.locks import HeldFile


def _folder() -> Path:
    """Return this user's own among the temporary folders; Windows has those for each user anyway."""
    name = "gridfold"
    if sys.platform != "win32":
        name += f"-{os.getuid()}"
    return Path(tempfile.gettempdir()) / name


@contextmanager
def following(run_id: str) -> Iterator[bool]:
    """Hold the run's job for the block, and give True; False where another process of this user here follows it."""
    _folder().mkdir(mode=0o700, exist_ok=True)
    held = HeldFile.take(_folder() / fingerprint(run=run_id))  # what a person types as a run's id may be a path
    try:
        yield held is not None
    finally:
        if held is not None:
            held.release()
