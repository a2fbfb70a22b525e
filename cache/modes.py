"""Modes of files that others share: what the umask grants, as for any file that a person writes.

``mkstemp`` and ``mkdtemp`` make what only their user may read, and it keeps that mode when it is renamed: in a folder
that two people share, the second could not read what the first has finished.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_STATUS = Path("/proc/self/status")


def as_umask_grants(path: Path) -> None:
    """Give a file or a folder the mode that it would have had if ``open`` or ``mkdir`` had made it."""
    if path.is_symlink():
        return
    executable = path.is_dir() or bool(path.stat().st_mode & 0o100)
    path.chmod((0o777 if executable else 0o666) & ~_umask())


def _umask() -> int:
    """Return the process' umask without changing it, even for a moment: other threads make files meanwhile."""
    try:
        found = re.search(r"^Umask:\s*([0-7]+)$", _STATUS.read_text(encoding="ascii"), re.MULTILINE)
    except OSError:
        found = None
    if found:
        return int(found[1], 8)
    umask = os.umask(0o077)
    os.umask(umask)
    return umask
