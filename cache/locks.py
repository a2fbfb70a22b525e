"""Locks between processes, which the kernel lets go when their holder is gone, however it ended.

All locks of the project are taken here, so that there is one place to know of the operating system; how each system
locks is filelock's to know. We use its locks on descriptors and not its lock files, which say nothing of whether their
holder lives. A process id in a file would not do: another container or machine that shares the folder may have the
same. On a file system without locks nobody is kept out, and nobody is taken for dead.

Windows locks bytes against reading too, removes no file that is open and locks no folder. So what is locked is a small
file, beside the folder that it stands for.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_LOOKS, _LOOK_SECONDS = 5, 0.01
_PLAIN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def lock(descriptor: int, wait: bool = True) -> bool:
    """Take the lock of an open file; False where another holds it and we do not `wait`.

    Raises
    ------
    OSError
        The file system has no locks.
    """
    from filelock import lock_descriptor  # not at the top: executors and served models load this room, and lock nothing

    return lock_descriptor(descriptor, blocking=wait, poll_interval=_LOOK_SECONDS)


def unlock(descriptor: int) -> None:
    """Let go of the lock of an open file.

    Raises
    ------
    OSError
        The file system has no locks.
    """
    from filelock import unlock_descriptor

    unlock_descriptor(descriptor)


def open_plain(path: Path, flags: int) -> int:
    """Open a file of a folder that others may write to: a plain one, there, and not what a link in its place leads to.

    Raises
    ------
    OSError
        It is something else, or cannot be opened.
    """
    descriptor = os.open(path, flags | _PLAIN, 0o666)
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
            unlock(descriptor)


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
    def take(cls, path: Path, content: str = "", wait: bool = False) -> HeldFile | None:
        """Make the file and hold it; None where another process or part of this one does, and we do not `wait`.

        Raises
        ------
        OSError
            The folder cannot be written.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                descriptor = open_plain(path, os.O_RDWR | os.O_CREAT)
            except PermissionError:
                if not os.access(path.parent, os.W_OK):
                    raise
                if not _has_made_way(path, wait):
                    return None
                continue
            if not _could_lock(descriptor, wait):
                os.close(descriptor)
                return None
            if _is_still(path, descriptor):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, content.encode())
                return cls(path, descriptor)
            os.close(descriptor)  # its last holder has removed it meanwhile

    def release(self) -> None:
        """Remove the file and let go of it."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is None:
            return
        removed = self._remove()
        os.close(descriptor)
        if not removed:  # Windows removes nothing that is open, nor what another has opened meanwhile, whose it is then
            self._remove()

    def _remove(self) -> bool:
        try:
            self.path.unlink()
        except OSError as error:
            return not isinstance(error, PermissionError)
        return True


@contextmanager
def held_beside(path: Path) -> Iterator[None]:
    """Keep other processes off `path`, a file or folder that may not be there yet, for the block.

    Where its folder cannot be written, or has no locks, nobody is kept off.
    """
    held = None
    with suppress(OSError):
        held = HeldFile.take(path.with_name(f".{path.name}.lock"), wait=True)
    try:
        yield
    finally:
        if held is not None:
            held.release()


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


def take_over(path: Path) -> HeldFile | None:
    """Hold the file of a maker that is gone, for whoever tidies up after it; None where it lives, or nobody can tell.

    Raises
    ------
    OSError
        The folder cannot be written.
    """
    return None if is_held(path) else HeldFile.take(path)


def _could_lock(descriptor: int, wait: bool) -> bool:
    """Take the lock, though somebody should hold it for the moment in which ``is_held`` looks."""
    try:
        if wait:
            return lock(descriptor)
        for _ in range(_LOOKS):
            if lock(descriptor, wait=False):
                return True
            time.sleep(_LOOK_SECONDS)
    except OSError:
        return True
    return False


def _has_made_way(path: Path, wait: bool) -> bool:
    """Whether the file of another user, which we may read and not write, is gone; where we `wait`, once it is let go.

    Raises
    ------
    OSError
        It may not be read either, or its maker is dead and it may not be removed.
    """
    try:
        descriptor = open_plain(path, os.O_RDONLY)
    except FileNotFoundError:
        return True
    try:
        if not _could_lock(descriptor, wait):
            return False
        if _is_still(path, descriptor):
            path.unlink()
        return True
    finally:
        os.close(descriptor)


def _is_still(path: Path, descriptor: int) -> bool:
    with suppress(OSError):
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    return False
