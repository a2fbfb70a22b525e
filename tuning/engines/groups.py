"""Processes and what they have started, ended together: a group where the system has those, on Windows a tree."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress

import psutil

_LOOK_SECONDS = 1.0
_PDEATHSIG = 1


def lead() -> None:
    """Begin a group of this process', which a terminal's Ctrl-C does not reach."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        with suppress(OSError):
            os.setpgid(0, 0)


def kill(pid: int) -> None:
    """End the process `pid` and what it has started, at once."""
    if sys.platform != "win32":
        for end in (os.killpg, os.kill):  # at its very beginning it leads no group yet
            with suppress(OSError):
                end(pid, signal.SIGKILL)
        return
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for each in (*process.children(recursive=True), process):
            with suppress(psutil.Error):
                each.kill()


def die_with_parent() -> None:
    """Have the kernel end this process with its parent, where it can: in compiled code no thread of ours may run."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def end_after(parent: int) -> None:
    """Wait for the end of the process `parent`, and end this one, with what it has started."""
    if sys.platform != "win32":
        while os.getppid() == parent:
            time.sleep(_LOOK_SECONDS)
        if os.getpgrp() == os.getpid():
            os.killpg(os.getpid(), signal.SIGKILL)
    else:  # where an orphan keeps the number of its parent
        with suppress(psutil.Error):
            psutil.Process(parent).wait()
        kill(os.getpid())
    os._exit(1)
