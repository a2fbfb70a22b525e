"""Folders to work in that vanish with their maker, however it ends.

A killed process cannot clean up after itself, so the next one does: each maker holds a file beside its folder
(``cache.locks``), which the system lets go when the process is gone, and whoever makes a folder removes those beside it
that nobody holds. A process id in the name would not do, since another container or machine that shares the cache may
have the same.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from cache.locks import HeldFile, take_over

_HELD = ".held"


@contextmanager
def scratch_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Give an empty folder in `parent`, removed at the end of the block unless it was renamed.

    Those in `parent` with the same `prefix` whose makers are gone are removed first.
    """
    _remove_abandoned(parent, prefix)
    held = _held(parent, prefix)
    folder = held.path.with_suffix("")
    try:
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        held.release()


def process_folder(prefix: str) -> Path:
    """Give an empty folder among the temporary ones that lasts as long as this process.

    One that a killed process has left is removed by the next that asks for the same `prefix`.
    """
    held = ExitStack()
    atexit.register(held.close)
    return held.enter_context(scratch_folder(Path(tempfile.gettempdir()), prefix))


def _held(parent: Path, prefix: str) -> HeldFile:
    """Hold the file of a new folder's, before there is one: a folder that nobody holds is nobody's."""
    while True:
        held = HeldFile.take(_held_by(parent / f"{prefix}{uuid.uuid4().hex[:12]}"))
        if held is not None:  # else somebody is just tidying up
            return held


def _held_by(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}{_HELD}")


def _remove_abandoned(parent: Path, prefix: str) -> None:
    folders = {path.with_suffix("") if path.suffix == _HELD else path for path in parent.glob(f"{prefix}*")}
    for folder in folders:
        with suppress(OSError):  # not ours, or removed by another meanwhile
            if (folder.is_dir() or _held_by(folder).exists()) and (held := take_over(_held_by(folder))) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                held.release()
