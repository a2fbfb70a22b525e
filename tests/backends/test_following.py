"""Whoever follows a job holds a lock that goes when the process goes."""

import subprocess
import sys
import uuid

import pytest

from backends.following import Follower, followed_elsewhere

pytestmark = pytest.mark.disturbs

HOLD = """
import sys
from backends.following import Follower
with Follower(sys.argv[1]):
    print("held", flush=True)
    input()
"""


def test_a_job_is_followed_while_another_process_holds_it_however_that_ends():
    run = uuid.uuid4().hex
    assert not followed_elsewhere(run)
    other = subprocess.Popen([sys.executable, "-c", HOLD, run], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout.readline() == b"held\n"
    assert followed_elsewhere(run)
    other.kill()
    other.wait()
    assert not followed_elsewhere(run)
    with Follower(run):
        pass
    assert not followed_elsewhere(run)
