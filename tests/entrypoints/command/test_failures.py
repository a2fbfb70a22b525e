"""Whatever ends an entry point is said in one line, with an exit code and a status of the run."""

import errno
import signal

import pytest

from entrypoints.command.failures import explain
from entrypoints.command.interrupts import Interrupted
from errors import SourceError


def test_what_a_person_can_mend_is_said_as_the_room_said_it():
    failure = explain(SourceError("events.csv: no column 'device_id'.\n  Rename it."))
    assert (failure.line, failure.exit_code, failure.status) == (
        "events.csv: no column 'device_id'. Rename it.",
        1,
        "FAILED",
    )


def test_an_interrupt_kills_the_run_and_exits_as_shells_expect():
    failure = explain(Interrupted(signal.SIGTERM))
    assert (failure.line, failure.exit_code, failure.status) == ("interrupted (SIGTERM).", 143, "KILLED")


@pytest.mark.parametrize(
    ("error", "start"),
    [
        (MemoryError(), "out of memory. "),
        (OSError(errno.ENOSPC, "No space left on device", "/data/x"), "/data/x: the disk is full. "),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "the disk is full. "),
    ],
)
def test_a_machine_that_gives_out_is_not_called_a_defect(error, start):
    assert explain(error).line.startswith(start)


def test_anything_else_is_called_a_defect_and_says_how_to_see_more():
    line = explain(KeyError("x\ny")).line
    assert line == "a defect in gridfold (KeyError: 'x\\ny'). Run it again with -P debug=true for the traceback."
