"""Where files are put for the cluster, and where the cluster puts files for us."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class SharedFolder(Protocol):
    """Files by name, reached from here and from the cluster.

    Names
        Parts joined by slashes, relative to the shared folder; folders need not be made.
    Whole or absent
        A file appears with all of its content, and replaces one of the same name in the same way.
    Errors
        ConnectionLostError where the folder cannot be reached, and trying again may help; BackendError, one line,
        where it refuses. A method that raises may or may not have done its work, and can be called again.
    """

    def put(self, name: str, content: bytes | Path) -> None:
        """Write a file; a Path is one on this machine, which may be large."""

    def get(self, name: str) -> bytes | None:
        """Return a file's content, None where there is none."""

    def names(self, prefix: str) -> list[str]:
        """Return the names of all files that begin with `prefix`, in order."""

    def remove(self, prefix: str) -> None:
        """Remove all files whose names begin with `prefix`; there may be none."""
