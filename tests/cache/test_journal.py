"""What was added is there for the next, whatever has happened to the file or to its writer since."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from cache.journal import Journal

ROOT = Path(__file__).parents[2]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "journal" / "rows"


def written(file, records, lost=()):
    journal = Journal(file)
    journal.add(records, lost)
    journal.close()


def known(file, *addresses):
    journal = Journal(file)
    found = journal.find(addresses or list(journal._records))
    journal.close()
    return found


def test_floats_come_back_to_the_last_bit(file):
    values = [0.1, 1 / 3, -2.2849999999999997, 5e-324, 1.7976931348623157e308, -0.0, math.inf, -math.inf, math.nan]
    written(file, {"a": {"values": values}})
    assert [value.hex() for value in known(file, "a")["a"]["values"]] == [value.hex() for value in values]


def test_only_what_is_known_is_given(file):
    written(file, {"a": {"x": 1}, "b": {"x": 2}})
    assert known(file, "b", "c") == {"b": {"x": 2}}


def test_the_last_word_on_an_address_counts(file):
    written(file, {"a": {"x": 1}})
    written(file, {"a": {"x": 2}})
    assert known(file, "a") == {"a": {"x": 2}}


def test_what_is_added_is_in_the_file_at_once(file):
    journal = Journal(file)
    journal.add({"a": {"x": 1}})
    assert known(file, "a") == {"a": {"x": 1}}
    journal.close()


def test_a_torn_last_line_is_dropped_and_the_next_begins_anew(file):
    written(file, {"a": {"x": 1}, "b": {"x": 2}})
    whole = file.read_bytes()
    lines = whole.splitlines(keepends=True)
    file.write_bytes(lines[0] + lines[1][:-7])
    assert known(file) == {"a": {"x": 1}}
    written(file, {"c": {"x": 3}})
    assert known(file) == {"a": {"x": 1}, "c": {"x": 3}}


@pytest.mark.parametrize("length", range(0, 120, 7))
def test_a_truncated_file_gives_its_whole_lines(file, length):
    written(file, {"a": {"x": 1}, "b": {"x": 2}})
    content = file.read_bytes()[:length]
    file.write_bytes(content)
    n_whole = content.count(b"\n")
    assert list(known(file)) == ["a", "b"][:n_whole]


@pytest.mark.parametrize("place", range(0, 23, 3))
def test_a_flipped_bit_spoils_its_own_line_alone(file, place):
    written(file, {"a": {"x": 1}, "b": {"x": 2}})
    content = bytearray(file.read_bytes())
    content[place] ^= 4
    file.write_bytes(content)
    journal = Journal(file)
    assert journal.find(["a", "b"]) == {"b": {"x": 2}}
    assert journal.n_spoiled == 1
    journal.close()


def test_what_is_no_journal_is_passed_over(file):
    file.parent.mkdir()
    file.write_bytes(b"\x00\xff\n\n{}\nnot a journal\n" + os.urandom(500) + b"\n")
    written(file, {"a": {"x": 1}})
    assert known(file) == {"a": {"x": 1}}


@pytest.mark.parametrize("content", [b"{", b"[1]", b"7", b"[" * 100_000, b"\xff", b"{}"])
def test_a_line_that_somebody_else_has_written_gives_nothing_or_a_record(file, content):
    file.parent.mkdir()
    rest = b"cell a " + content
    file.write_bytes(b"%08x %s\n" % (zlib.crc32(rest), rest))
    assert known(file, "a") in ({}, {"a": {}})


WRITER = """
import sys
from pathlib import Path
from cache.journal import Journal
journal = Journal(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for number in range(300):
    journal.add({f"{sys.argv[2]}{number}": {"text": sys.argv[2] * 300}})
journal.close()
"""


def test_two_processes_that_write_at_once_lose_nothing(file):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, file, name], cwd=ROOT, stdin=-1, stdout=subprocess.PIPE, text=True
        )
        for name in "pq"
    ]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    assert [writer.wait() for writer in writers] == [0, 0]
    for writer in writers:
        writer.stdin.close()
        writer.stdout.close()
    journal = Journal(file)
    assert len(journal) == 600
    assert journal.n_spoiled == 0
    journal.close()


def test_one_hears_of_what_the_other_has_added(file):
    mine = Journal(file)
    written(file, {"a": {"x": 1}})
    assert mine.find(["a"]) == {}
    mine.refresh()
    assert mine.find(["a"]) == {"a": {"x": 1}}
    mine.close()


def test_it_reads_on_where_it_has_stopped(file):
    mine = Journal(file)
    for address in "abc":
        written(file, {address: {"x": 1}})
        mine.refresh()
    assert mine.find("abc") == {address: {"x": 1} for address in "abc"}
    assert mine.n_spoiled == 0
    mine.close()


def test_what_is_being_written_is_read_once_it_is_whole(file):
    written(file, {"a": {"x": 1}, "b": {"x": 2}})
    content = file.read_bytes()
    file.write_bytes(content[:5])
    mine = Journal(file)
    assert (mine.find("ab"), mine.n_spoiled) == ({}, 0)
    file.write_bytes(content[: content.index(b"\n") + 5])
    mine.refresh()
    assert (mine.find("ab"), mine.n_spoiled) == ({"a": {"x": 1}}, 0)
    file.write_bytes(content)
    mine.refresh()
    assert (mine.find("ab"), mine.n_spoiled) == ({"a": {"x": 1}, "b": {"x": 2}}, 0)
    mine.close()


def test_what_was_lost_is_not_given_and_is_suspect(file):
    written(file, {"a": {"error": "no memory"}, "b": {"x": 1}}, lost=["a"])
    journal = Journal(file)
    assert journal.find(["a", "b"]) == {"b": {"x": 1}}
    assert journal.suspects() == {"a"}
    journal.add({"a": {"x": 2}})
    assert journal.suspects() == set()
    journal.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from cache.journal import Journal
journal = Journal(Path(sys.argv[1]))
journal.begin(["a", "b", "c"])
journal.add({"b": {"x": 1}})
print("begun", flush=True)
sys.stdin.readline()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_had_begun_is_suspect_once_it_is_dead(file):
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, file], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "begun\n"
        journal = Journal(file)
        assert journal.suspects() == set()
        journal.close()
        process.communicate("die\n")
    journal = Journal(file)
    assert journal.suspects() == {"a", "c"}
    assert journal.find("abc") == {"b": {"x": 1}}
    journal.close()
    assert [path.name for path in file.parent.iterdir()] == [file.name]  # nor does a session of the dead stay


WITH_ANOTHER = """
import os, sys
from pathlib import Path
from cache.journal import Journal
from filelock import lock_descriptor, unlock_descriptor  # while they can surely be read
if hasattr(os, "geteuid") and os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
journal = Journal(Path(sys.argv[1]))
journal.begin(["a"])
print("begun", flush=True)
sys.stdin.readline()
journal.close()
"""


def test_a_session_of_the_dead_that_is_not_ours_to_remove_keeps_nobody_from_holding_his_own(shared):
    file = shared / "rows"
    file.touch()
    file.chmod(0o666)
    (shared / ".session-dead").touch(0o444)  # another user's where we are root, and else as little ours to write
    command = [sys.executable, "-c", WITH_ANOTHER, file]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "begun\n"
        journal = Journal(file)
        begun, suspects = journal._begun, journal.suspects()
        journal.close()
        process.communicate("end\n")
    assert process.returncode == 0
    assert list(begun.values()) == [{"a"}]
    assert suspects == set()


def test_what_was_left_in_good_order_is_not_suspect(file):
    journal = Journal(file)
    journal.begin(["a"])
    journal.close()
    journal = Journal(file)
    assert journal.suspects() == set()
    journal.close()


def test_a_full_disk_is_said_and_what_could_not_be_written_is_written_later(file, monkeypatch):
    def full(descriptor, content):
        write(descriptor, content[:9])
        raise OSError(28, "No space left on device")

    write = os.write
    journal = Journal(file)
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        journal.add({"a": {"x": 1}})
    assert "No space left" in journal.trouble
    journal.add({"b": {"x": 2}})
    assert journal.trouble == ""
    journal.close()
    assert known(file) == {"a": {"x": 1}, "b": {"x": 2}}


def test_all_that_was_added_is_on_the_disk_after_sync(file, monkeypatch):
    def counted(descriptor):
        sync(descriptor)
        on_disk.append(os.fstat(descriptor).st_size)

    sync, on_disk = os.fsync, []
    monkeypatch.setattr(os, "fsync", counted)
    journal = Journal(file)
    for address in "abc":
        journal.add({address: {"x": 1}})
        journal.sync()
        assert on_disk[-1] == file.stat().st_size
    journal.close()


def test_a_disk_that_takes_nothing_is_said_until_it_does(file, monkeypatch):
    def broken(descriptor):
        raise OSError(5, "Input/output error")

    journal = Journal(file)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", broken)
        journal.add({"a": {"x": 1}})
        journal.sync()
    assert journal.trouble == "Input/output error"
    journal.add({"b": {"x": 2}})
    journal.sync()
    assert journal.trouble == ""
    journal.close()


def test_a_folder_that_cannot_be_written_ends_nothing(tmp_path):
    (tmp_path / "journal").write_text("a file where the folder should be")
    journal = Journal(tmp_path / "journal" / "rows")
    journal.add({"a": {"x": 1}})
    assert journal.find(["a"]) == {"a": {"x": 1}}
    journal.close()
    assert journal.trouble


def test_a_line_can_be_read_by_eye(file):
    written(file, {"a": {"x": 1.5}})
    checksum, kind, address, content = file.read_text().splitlines()[0].split(" ", 3)
    assert (kind, address, json.loads(content)) == ("cell", "a", {"x": 1.5})
    assert len(checksum) == 8
    written(file, {"b": {"x": 2}})
    assert "" not in file.read_text().splitlines()
