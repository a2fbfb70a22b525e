"""How much a file may unpack to: what a machine can hold, and no more than a real file of that size would.

Packed zeros are a thousandth of what they stand for, so that a file of a few megabytes can fill a memory or a disk.
Tables and matrices pack to a tenth or so; less than a hundredth is refused once it comes to more than a machine bears
with ease.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ALWAYS = 2**30
"""Bytes that any file may unpack to."""

RATIO = 100
"""Times its size that a file may unpack to beyond that."""

_LIMIT_OF_CONTAINER = Path("/sys/fs/cgroup/memory.max")


def memory() -> int:
    """Bytes of memory that this machine, or the container that we are in, has in all."""
    machine = _of_the_machine()
    try:
        return min(machine, int(_LIMIT_OF_CONTAINER.read_text(encoding="ascii")))
    except (OSError, ValueError):  # no container, or one without a limit
        return machine


def _of_the_machine() -> int:
    if sys.platform != "win32":
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    import psutil  # not at the top: served models load this room, whose servers may lack it

    return int(psutil.virtual_memory().total)


def most_bytes(packed: int) -> int:
    """Bytes that a file of `packed` bytes may unpack to in memory."""
    return min(memory(), most_on_disk(packed))


def most_on_disk(packed: int) -> int:
    """Bytes that a file of `packed` bytes may unpack to on a disk."""
    return max(ALWAYS, RATIO * packed)


def unpacks_to_too_much(packed: int, most: int) -> str:
    """Return the end of a sentence that refuses a file."""
    sizes = f"{most / 2**20:,.0f} MiB, from {packed / 2**20:,.1f}"
    return f"unpacks to more than {sizes}; write it unpacked if that is right"
