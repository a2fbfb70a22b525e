"""What a killed process leaves is removed by the next; what a living one works in is left alone."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cache.scratch import scratch_folder

ROOT = Path(__file__).parents[2]

WORKS = """
import sys, time
from pathlib import Path
from cache.scratch import scratch_folder
with scratch_folder(Path(sys.argv[1]), ".work-") as folder:
    (folder / "half").mkdir()
    (folder / "half" / "rows").write_text("1")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other(tmp_path):
    """Another process at work in a folder, and that folder."""
    process = subprocess.Popen([sys.executable, "-c", WORKS, tmp_path], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    yield process, Path(process.stdout.readline().strip())
    process.kill()
    process.wait()


def test_it_is_empty_and_gone_after_the_block(tmp_path):
    with scratch_folder(tmp_path, ".work-") as folder:
        assert folder.parent == tmp_path
        assert list(folder.iterdir()) == []
        (folder / "x").write_text("1")
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_leaves_a_folder_that_the_next_removes(tmp_path, other):
    process, theirs = other
    process.kill()
    process.wait()
    assert (theirs / "half" / "rows").exists()
    with scratch_folder(tmp_path, ".work-") as folder:
        assert {path.name for path in tmp_path.iterdir()} == {folder.name, f"{folder.name}.held"}
    assert list(tmp_path.iterdir()) == []


def test_a_living_process_keeps_its_folder(tmp_path, other):
    _, theirs = other
    with scratch_folder(tmp_path, ".work-"):
        assert (theirs / "half" / "rows").read_text() == "1"
    assert (theirs / "half" / "rows").read_text() == "1"


def test_folders_of_other_kinds_and_files_are_left(tmp_path):
    (tmp_path / "tables").mkdir()
    (tmp_path / ".other-1").mkdir()
    (tmp_path / ".work-file").write_text("a person's own")
    with scratch_folder(tmp_path, ".work-"):
        assert {path.name for path in tmp_path.iterdir()} >= {"tables", ".other-1", ".work-file"}


def test_what_nobody_holds_is_removed_whichever_half_of_it_is_left(tmp_path):
    (tmp_path / ".work-1").mkdir()
    (tmp_path / ".work-2.held").touch()
    with scratch_folder(tmp_path, ".work-") as folder:
        assert {path.name for path in tmp_path.iterdir()} == {folder.name, f"{folder.name}.held"}


def test_many_at_once_never_lose_theirs(tmp_path):
    def work(number):
        with scratch_folder(tmp_path, ".work-") as folder:
            (folder / "x").write_text(str(number))
            return (folder / "x").read_text()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(200))) == [str(number) for number in range(200)]
    assert list(tmp_path.iterdir()) == []


DYING = """
import os, signal
from cache import process_folder
print(process_folder("gridfold-test-"), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_has_left_goes_with_the_next(tmp_path):
    command, place = [sys.executable, "-c", DYING], os.environ | {"TMPDIR": str(tmp_path)}
    first, second = (
        Path(subprocess.run(command, capture_output=True, text=True, env=place, cwd=ROOT).stdout.strip()) for _ in "12"
    )
    assert first.parent == second.parent == tmp_path
    assert {path.name for path in tmp_path.iterdir()} == {second.name, f"{second.name}.held"}, first
