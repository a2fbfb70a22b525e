"""What a person reads when an entry point fails, and how the process and its run end.

Everything ends in one line. Only this module knows which exceptions are whose fault: the rooms raise a GridfoldError
for what a person can mend, and whatever else arrives here is a defect of ours, except where the machine gave out.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from signal import SIGINT

from entrypoints.command.interrupts import Interrupted
from errors import GridfoldError, SpecError
from masking import masked, visible

_LONGEST_WORD = 400
"""A path is shorter; what is longer is a value that somebody has pasted, or what a damaged file holds."""


@dataclass(frozen=True)
class Failure:
    """The end of an entry point that did not succeed.

    Attributes
    ----------
    line : str
        What is wrong, where, what to do; a line each where a spec has several mistakes.
    exit_code : int
        1, or 128 and the signal's number.
    status : str
        FAILED or KILLED.
    """

    line: str
    exit_code: int = 1
    status: str = "FAILED"


def explain(error: BaseException) -> Failure:
    """Say in one line what `error` means to the person who typed the command."""
    match error:
        case Interrupted():
            return Failure(f"interrupted ({error.reason}).", 128 + error.signal, "KILLED")
        case KeyboardInterrupt():  # a second Ctrl-C, in the middle of what the first had begun
            return Failure("interrupted (SIGINT).", 128 + SIGINT, "KILLED")
        case SpecError():
            return Failure("\n".join(map(_one_line, str(error).splitlines())))
        case GridfoldError():
            return Failure(_one_line(str(error)))
        case MemoryError():
            return Failure("out of memory. Use fewer feature sets or smaller data, fewer cores, or a bigger machine.")
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            where = f"{masked(str(error.filename))}: " if error.filename else ""
            return Failure(f"{where}the disk is full. Free some space and run it again.")
        case _:
            said = _one_line(f"{type(error).__name__}: {error}")
            return Failure(f"a defect in gridfold ({said}). Run it again with -P debug=true for the traceback.")


def _one_line(text: str) -> str:
    words = (word if len(word) <= _LONGEST_WORD else f"{word[:_LONGEST_WORD]}…" for word in masked(text).split())
    return visible(" ".join(words))
