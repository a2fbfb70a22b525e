"""A held file says that its maker lives, and nothing else does."""

from __future__ import annotations

import os
import subprocess
import sys
import time
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


ANOTHER_USER = """
import os, sys, time
from pathlib import Path
from cache.locks import HeldFile, held_beside
from filelock import lock_descriptor, unlock_descriptor  # while they can surely be read
path = Path(sys.argv[1])
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
print(HeldFile.take(path.with_name(".dead")) is None, HeldFile.take(path) is None, flush=True)
with held_beside(path.with_name(path.name.removeprefix(".").removesuffix(".lock"))):
    print("in", time.monotonic(), flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such users")
def test_a_file_of_another_user_is_waited_for_though_it_may_not_be_written(shared):
    (shared / ".dead").touch(0o444)
    held = HeldFile.take(shared / ".store.lock")
    (shared / ".store.lock").chmod(0o444)
    other = subprocess.Popen(
        [sys.executable, "-c", ANOTHER_USER, str(shared / ".store.lock")], stdout=subprocess.PIPE, text=True
    )
    assert other.stdout.readline() == "False True\n"
    time.sleep(0.5)
    released = time.monotonic()
    held.release()
    line = other.stdout.readline().split()
    assert line[0] == "in"
    assert float(line[1]) >= released
    assert other.wait(30) == 0
