"""How a worker process ended, in words for the person whose candidate it was running.

An exit code tells a crash from a kill, but not who has killed: the kernel, for want of memory, or a person. The kernel
counts what it kills, so a count that has risen meanwhile is as good as its word.
"""

from __future__ import annotations

import re
import signal
from contextlib import suppress
from pathlib import Path

_CRASHES = ("SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT", "SIGTRAP", "SIGSYS")
_KILLED = "SIGKILL"
_WINDOWS_ERRORS = 0xC0000000  # and above: how Windows ends a process that did not end itself
_WINDOWS_NO_MEMORY = (0xC0000017, 0xC000012D)
_LESS = "Use fewer cores (cores: 1 under budget), fewer rows, or a smaller model"
_FAULT = "a fault in compiled code that the estimator calls"
_FRAME = re.compile(r'^  File "(?P<file>.+)", line (?P<line>\d+) in (?P<function>\S+)', re.MULTILINE)
_INSTALLED = re.compile(r"[/\\](site|dist)-packages[/\\]|[/\\]lib[/\\]python3|\\Lib\\")


def oom_kills() -> int:
    """Return how many processes the kernel has ended for want of memory; 0 where it does not tell."""
    counts = [_counted(Path("/proc/vmstat"))]
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
            _, controllers, group = line.split(":", 2)
            if not controllers:
                counts.append(_counted(Path(f"/sys/fs/cgroup{group}/memory.events")))
            elif "memory" in controllers.split(","):
                counts.append(_counted(Path(f"/sys/fs/cgroup/memory{group}/memory.oom_control")))
    return sum(counts)


def _counted(path: Path) -> int:
    with suppress(OSError):
        for line in path.read_text(encoding="ascii").splitlines():
            name, _, value = line.partition(" ")
            if name == "oom_kill":
                return int(value)
    return 0


def for_memory(exitcode: int) -> bool:
    """Whether a process that ended so may have wanted more memory than there was."""
    return _signal_name(exitcode) == _KILLED or exitcode in _WINDOWS_NO_MEMORY


def words(exitcode: int, starved: bool = False, crash: str = "") -> str:
    """Say how a process ended that was fitting.

    Parameters
    ----------
    exitcode : int
        As ``subprocess`` has it: minus the number of the signal, where one has ended the process.
    starved : bool
        Whether the kernel has ended processes for want of memory meanwhile.
    crash : str
        What ``faulthandler`` has written when the process crashed.
    """
    if exitcode >= _WINDOWS_ERRORS:
        said = f"its process ended with Windows' error 0x{exitcode:X}{_where(crash)}"
        return f"{said}: too little memory. {_LESS}" if for_memory(exitcode) else f"{said}, most likely {_FAULT}"
    if exitcode >= 0:
        return f"its process ended with exit code {exitcode}, most likely by os._exit() in the estimator's own code"
    name = _signal_name(exitcode)
    said = f"its process ended with signal {name or f'number {-exitcode}'}"
    if starved and for_memory(exitcode):
        return f"{said}: the machine has no more memory for it. {_LESS}"
    if for_memory(exitcode):
        return f"{said}, most likely for lack of memory. {_LESS}"
    if name in _CRASHES:
        return f"{said}{_where(crash)}, most likely {_FAULT}"
    return said


def _signal_name(exitcode: int) -> str:
    """Return the name of the signal that has ended a process; empty where none has."""
    return next((each.name for each in signal.Signals if each == -exitcode), "")


def _where(crash: str) -> str:
    """Name the innermost line of Python that is not a library's, else the innermost of all."""
    _, _, crashed = crash.partition("Current thread ")
    frames = list(_FRAME.finditer(crashed.partition("\n\n")[0]))
    own = [frame for frame in frames if not _INSTALLED.search(frame["file"])]
    for frame in own[:1] or frames[:1]:
        return f" in {frame['function']} ({Path(frame['file']).name}, line {frame['line']})"
    return ""
