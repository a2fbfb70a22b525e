"""A held file says that its maker lives, and nothing else does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cache.journal import Journal
from cache.locks import HeldFile, is_held

ROOT = Path(__file__).parents[2]

HOLDS = """
import sys, time
from pathlib import Path
from cache.locks import HeldFile
held = HeldFile.take(Path(sys.argv[1]), "who")
print("held", flush=True)
time.sleep(60)
"""


def test_one_at_a_time_holds_it_and_the_next_may_once_it_is_released(tmp_path):
    path = tmp_path / "sub" / "lock"
    first = HeldFile.take(path, "first")
    assert path.read_text() == "first"
    assert is_held(path)
    assert HeldFile.take(path) is None
    first.release()
    assert not is_held(path)
    assert not path.exists()
    second = HeldFile.take(path, "second")
    assert path.read_text() == "second"
    second.release()
    second.release()


def test_it_is_let_go_when_its_holder_is_killed(tmp_path):
    path = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLDS, path], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        assert is_held(path)
        assert HeldFile.take(path) is None
        process.kill()
    assert not is_held(path)
    assert path.read_text() == "who"
    HeldFile.take(path).release()


@pytest.mark.parametrize("trap", ["link", "fifo"])
def test_what_another_has_put_in_its_place_is_neither_followed_nor_waited_for(tmp_path, trap):
    mine, path = tmp_path / "mine", tmp_path / "lock"
    mine.write_text("precious")
    path.symlink_to(mine) if trap == "link" else os.mkfifo(path)
    with pytest.raises(OSError, match=r"plain file|symbolic links"):
        HeldFile.take(path, "who")
    assert is_held(path)
    journal = Journal(path)
    journal.add({"a": {"x": 1}})
    journal.close()
    assert journal.trouble
    assert mine.read_text() == "precious"
