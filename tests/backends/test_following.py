"""Whoever follows a job holds a lock that goes when the process goes."""

import subprocess
import sys
import uuid

import pytest

from backends.following import following

pytestmark = pytest.mark.disturbs

HOLD = """
import sys
from backends.following import following
with following(sys.argv[1]) as ours:
    print("held" if ours else "not", flush=True)
    input()
"""


def test_a_path_in_place_of_a_runs_id_is_not_touched(tmp_path):
    (tmp_path / "spec.yaml").write_text("mine")
    with following(str(tmp_path / "spec.yaml")) as ours:
        assert ours
    assert (tmp_path / "spec.yaml").read_text() == "mine"


def test_a_job_is_followed_while_another_process_holds_it_however_that_ends():
    run = uuid.uuid4().hex
    other = subprocess.Popen([sys.executable, "-c", HOLD, run], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout.readline() == b"held\n"
    with following(run) as ours:
        assert not ours
    other.kill()
    other.wait()
    for _ in range(2):
        with following(run) as ours:
            assert ours
            with following(run) as twice:
                assert not twice
