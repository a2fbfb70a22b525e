"""Locks between processes, which the kernel lets go when their holder is gone, however it ended.

All locks of the project are taken here, so that there is one place to know of the operating system. A process id in a
file would not do: another container or machine that shares the folder may have the same. On a file system without
locks nobody is kept out, and nobody is taken for dead.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_TAKEN = (errno.EWOULDBLOCK, errno.EACCES)
_LOOKS, _LOOK_SECONDS = 5, 0.01


def lock(descriptor: int, wait: bool = True) -> bool:
    """Take the lock of an open file or folder; False where another holds it and we do not `wait`.

    Raises
    ------
    OSError
        The file system has no locks.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        if error.errno in _TAKEN:
            return False
        raise
    return True


def open_plain(path: Path, flags: int) -> int:
    """Open a file of a folder that others may write to: a plain one, there, and not what a link in its place leads to.

    Raises
    ------
    OSError
        It is something else, or cannot be opened.
    """
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "no plain file", str(path))
    return descriptor


@contextmanager
def locked(descriptor: int) -> Iterator[None]:
    """Hold the lock of an open file for the block, where the file system has locks."""
    with suppress(OSError):
        lock(descriptor)
    try:
        yield
    finally:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)


class HeldFile:
    """A small file that says that its maker lives: it is locked for as long as that is so.

    Attributes
    ----------
    path : Path
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, path: Path, content: str = "") -> HeldFile | None:
        """Make the file and hold it; None where another process, or another part of this one, does.

        Raises
        ------
        OSError
            The folder cannot be written.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            descriptor = open_plain(path, os.O_RDWR | os.O_CREAT)
            if not _could_lock(descriptor):
                os.close(descriptor)
                return None
            if _is_still(path, descriptor):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, content.encode(), 0)
                return cls(path, descriptor)
            os.close(descriptor)  # its last holder has removed it meanwhile

    def release(self) -> None:
        """Remove the file and let go of it."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with suppress(OSError):
                self.path.unlink()
            os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether the maker of a ``HeldFile`` lives, or nobody can tell; False where the file is gone."""
    try:
        descriptor = open_plain(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # not ours to look at, so not ours to tidy
    try:
        return not lock(descriptor, wait=False)
    except OSError:
        return True
    finally:
        os.close(descriptor)


def _could_lock(descriptor: int) -> bool:
    """Take the lock, though somebody should hold it for the moment in which ``is_held`` looks."""
    try:
        for _ in range(_LOOKS):
            if lock(descriptor, wait=False):
                return True
            time.sleep(_LOOK_SECONDS)
    except OSError:
        return True
    return False


def _is_still(path: Path, descriptor: int) -> bool:
    with suppress(OSError):
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    return False
