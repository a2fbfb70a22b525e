"""Which addresses mean a file that this machine has, rather than something that answers."""

from __future__ import annotations

from urllib.parse import urlsplit

_OF_FILES = ("", "file", "sqlite")


def is_a_file(uri: str) -> bool:
    """Whether `uri` is a path, the address of a file, or a database in one."""
    scheme = urlsplit(uri).scheme
    return scheme.partition("+")[0] in _OF_FILES or is_drive(scheme)


def is_drive(scheme: str) -> bool:
    """Whether it is the letter of a Windows drive, which a path begins with and no address does."""
    return len(scheme) == 1
