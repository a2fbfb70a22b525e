"""Folders that appear whole or not at all.

A step writes into a scratch folder beside its destination, and one rename publishes it. Nobody waits for anybody: two
processes that make the same step at once do the work twice and the second one's copy is dropped, which costs time but
cannot deadlock. What a killed process leaves is removed by the next (``cache.scratch``).
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cache.modes import as_umask_grants
from cache.scratch import scratch_folder
from errors import CacheError

_DEFAULT = ".cache"
_SCRATCH = ".unfinished-"


class Cache:
    """Finished steps under one root, addressed by kind and fingerprint.

    Parameters
    ----------
    root : Path
        Made on first use.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def from_environment(cls) -> Cache:
        """Return the cache at ``SWEEP_CACHE``, by default ``.cache/`` in the working folder."""
        return cls(Path(os.environ.get("SWEEP_CACHE") or _DEFAULT))

    def path(self, kind: str, fingerprint: str) -> Path:
        """Where the step is, or will be."""
        return self.root / kind / fingerprint

    def find(self, kind: str, fingerprint: str) -> Path | None:
        """Return the step's folder, or None where it has not been made whole."""
        path = self.path(kind, fingerprint)
        try:
            return path if path.is_dir() else None
        except OSError:  # a root that cannot be: whoever writes there will say so
            return None

    @contextmanager
    def publish(self, kind: str, fingerprint: str) -> Iterator[Path]:
        """Give a scratch folder to write the step into; it becomes ``path(kind, fingerprint)`` if the block succeeds.

        Raises
        ------
        CacheError
            The disk is full or the folder cannot be written.
        """
        final = self.path(kind, fingerprint)
        with writing_to(self.root):
            final.parent.mkdir(parents=True, exist_ok=True)
            with scratch_folder(final.parent, _SCRATCH) as scratch:
                yield scratch
                _rename_once(scratch, final)


def _rename_once(scratch: Path, final: Path) -> None:
    """Publish `scratch`, unless another process has published the same step first."""
    for path in (scratch, *scratch.rglob("*")):
        as_umask_grants(path)
    try:
        scratch.rename(final)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Turn the operating system's refusals to write under `folder` into one line that says what to do.

    Raises
    ------
    CacheError
        The disk is full, or the folder is read-only or not ours.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            free = shutil.disk_usage(_nearest_existing(folder)).free
            raise CacheError(
                f"{folder}: the disk is full ({free / 2**20:,.0f} MiB free). "
                "Free some space, or set SWEEP_CACHE to a folder on another disk."
            ) from error
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ELOOP):
            raise CacheError(
                f"{folder}: the folder cannot be written ({os.strerror(error.errno).lower()}). "
                "Set SWEEP_CACHE to a folder of yours."
            ) from error
        if error.errno in (errno.ENOTDIR, errno.EEXIST):
            raise CacheError(
                f"{folder}: there is a file where a folder should be. Set SWEEP_CACHE to a folder."
            ) from error
        raise


def _nearest_existing(folder: Path) -> Path:
    folder = folder.absolute()
    return next(path for path in (folder, *folder.parents) if path.exists())
