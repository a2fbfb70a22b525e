"""What is sent to the other side is one file, which Python there runs with nothing but its standard library."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from backends import shipping
from backends.guest.reach import UNREACHABLE
from backends.guest.supervisor import envelope
from backends.project import archive

BARE = [sys.executable, "-I", "-S"]  # no packages, no PYTHONPATH, no folder of the script's


@pytest.fixture
def started(tmp_path):
    """Run a container's first process with these orders; return its end."""
    zipped = tmp_path / "gridfold.pyz"
    zipped.write_bytes(shipping.for_container())

    def start(command, secrets=None, tunnel="", **environment):
        orders = {
            "command": command,
            "environment": {"HOME": str(tmp_path / "home"), **environment},
            "secrets": secrets or {},
            "tunnel": tunnel,
            "terminal": None,
        }
        return subprocess.run([*BARE, str(zipped), "run"], input=envelope(orders), capture_output=True, check=False)

    return start


def test_a_container_runs_its_orders_without_any_package(started):
    done = started("echo $GREETING $TOKEN; kill -9 $$", {"TOKEN": "hunter2"}, GREETING="hello")
    assert (done.stdout, done.stderr) == (b"hello ***\n", b"")
    assert done.returncode == 137


def test_a_container_says_which_server_does_not_answer(started):
    done = started("echo ran", MLFLOW_TRACKING_URI="http://127.0.0.1:9")
    assert done.returncode == UNREACHABLE
    assert done.stdout == b"gridfold: no answer: [Errno 111] Connection refused\n"


def test_an_application_s_main_file_runs_without_any_package(tmp_path):
    main, job = tmp_path / "driver.py", tmp_path / "jobs/run1"
    main.write_bytes(shipping.for_spark())
    job.mkdir(parents=True)
    (job / "orders.json").write_text(json.dumps({"command": "exit 3", "environment": {}, "project": "p.tar.gz"}))
    done = subprocess.run([*BARE, str(main), str(tmp_path), "run1"], capture_output=True, check=False)
    assert done.returncode == 1, done.stderr
    ending = json.loads((job / "ending.json").read_text())
    assert ending["reason"] == "the shared folder has no p.tar.gz; it was removed after the job was submitted."


def test_an_application_leaves_nothing_behind_but_its_log_and_its_ending(tmp_path):
    main, scratch, job = tmp_path / "driver.py", tmp_path / "scratch", tmp_path / "jobs/run1"
    main.write_bytes(shipping.for_spark())
    scratch.mkdir()
    job.mkdir(parents=True)
    (tmp_path / "p.tar.gz").write_bytes(archive([("word", b"said\n")]))
    (job / "orders.json").write_text(json.dumps({"command": "cat word", "environment": {}, "project": "p.tar.gz"}))
    command, environment = [*BARE, str(main), str(tmp_path), "run1"], {**os.environ, "TMPDIR": str(scratch)}
    done = subprocess.run(command, env=environment, capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"said\n", b"")
    assert sorted(path.name for path in job.rglob("*")) == ["000001", "ending.json", "log"]
    assert list(scratch.iterdir()) == []


def test_the_same_room_makes_the_same_files():
    assert shipping.for_spark() == shipping.for_spark()
    assert shipping.for_spark().isascii()
    assert max(map(len, shipping.for_spark().splitlines())) < 120
