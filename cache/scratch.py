"""Folders to work in that vanish with their maker, however it ends.

A killed process cannot clean up after itself, so the next one does: each maker holds a lock on its folder, which the
kernel lets go when the process is gone, and whoever makes a folder removes those beside it that nobody holds. The lock
is on the folder itself, so no file of a lock's can be left over; a process id in the name would not do, since another
container or machine that shares the cache may have the same.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from cache.locks import lock


@contextmanager
def scratch_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Give an empty folder in `parent`, removed at the end of the block unless it was renamed.

    Those in `parent` with the same `prefix` whose makers are gone are removed first.
    """
    _remove_abandoned(parent, prefix)
    folder, descriptor = _make_held(parent, prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def process_folder(prefix: str) -> Path:
    """Give an empty folder among the temporary ones that lasts as long as this process.

    One that a killed process has left is removed by the next that asks for the same `prefix`.
    """
    held = ExitStack()
    atexit.register(held.close)
    return held.enter_context(scratch_folder(Path(tempfile.gettempdir()), prefix))


def _make_held(parent: Path, prefix: str) -> tuple[Path, int]:
    """Return a new folder and the descriptor that holds it; another process may remove it before it is held."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        with suppress(FileNotFoundError):
            descriptor = os.open(folder, os.O_RDONLY)
            with suppress(OSError):  # a file system without locks: then nobody else gets one either
                lock(descriptor)
            if folder.exists():
                return folder, descriptor
            os.close(descriptor)


def _remove_abandoned(parent: Path, prefix: str) -> None:
    for folder in parent.glob(f"{prefix}*"):
        with suppress(OSError):  # held, not ours, or removed by another meanwhile
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                if lock(descriptor, wait=False):
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)
