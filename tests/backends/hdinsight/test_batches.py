"""Batches that really run, on Spark and Azurite: submitted once, followed, stopped, and nothing left."""

from __future__ import annotations

import io
import json
import time

import pytest

from backends.failures import BackendError, ConnectionLostError
from tests.backends.hdinsight.conftest import NOTHING
from tests.backends.remote_sweeps import follow_in_background, wait_for

pytestmark = pytest.mark.disturbs

WAIT = "import time\nprint('begun', flush=True)\ntime.sleep(60)"


def log_of(place, run_id="run1"):
    names = [name for name in place.blobs() if name.startswith(f"jobs/{run_id}/log/")]
    return b"".join(place.container.download_blob(f"gridfold/{name}").readall() for name in names)


def test_a_batch_is_what_the_configuration_says(place, work):
    with place.open(queue="night", conf={"spark.task.cpus": "1"}) as compute:
        compute.prepare(NOTHING)
        job = compute.start(work("import os; print(os.environ['TOKEN'])", TOKEN="hunter2-hunter2"), NOTHING)
        written = io.BytesIO()
        assert job.follow(written.write).exit_code == 0, place.livy.submitted[0].log
        [batch] = place.livy.submitted
        job.remove()
    assert written.getvalue() == b"***\n"
    request = batch.request
    assert request["name"] == "gridfold-same-run1"
    assert [request[key] for key in ("driverMemory", "executorMemory", "executorCores", "numExecutors", "queue")] == [
        "1024m",
        "1024m",
        2,
        2,
        "night",
    ]
    assert request["conf"]["spark.task.cpus"] == "1"
    assert "hunter2" not in json.dumps(request)
    assert not any("hunter2" in line for line in batch.log)
    [environment, project] = place.blobs()
    assert environment.startswith("environments/")
    assert project.startswith("projects/")
    assert place.livy.batches == {}


def test_a_login_that_is_not_set_is_asked_for(place, monkeypatch):
    monkeypatch.delenv("HDINSIGHT_PASSWORD")
    with pytest.raises(BackendError, match="HDINSIGHT_PASSWORD is not set here"), place.open():
        pass


def test_the_environment_is_put_there_once(place):
    with place.open() as compute:
        assert "made the packed environment" in compute.prepare(NOTHING)
        assert "reused the packed environment" in compute.prepare(NOTHING)


def test_a_submission_whose_answer_was_lost_is_found_by_its_name(place, work):
    place.livy.answers_to_lose = 1
    with place.open() as compute:
        compute.prepare(NOTHING)
        job = compute.start(work("print('ran')"), NOTHING)
        written = io.BytesIO()
        assert job.follow(written.write).exit_code == 0
    assert written.getvalue() == b"ran\n"
    assert len(place.livy.submitted) == 1


def test_a_submission_that_never_arrived_is_made_again(place, work):
    place.livy.refusals.clear()
    with place.open() as compute:
        compute.prepare(NOTHING)
        place.livy.refusals.append((502, {}))
        job = compute.start(work("print('ran')"), NOTHING)
        job.kill()
    assert len(place.livy.submitted) == 1


def test_an_old_livy_that_tells_no_names_is_not_asked_twice(place, work):
    place.livy.tells_names = False
    place.livy.answers_to_lose = 1
    with place.open() as compute:
        compute.prepare(NOTHING)
        with pytest.raises(BackendError, match=r"its Livy \(before 0.6\) does not tell the names of batches"):
            compute.start(work("print('ran')", TOKEN="hunter2-hunter2"), NOTHING)
    [batch] = place.livy.submitted
    wait_for(lambda: batch.state in ("success", "dead"))
    assert not any("ran" in line.split() for line in batch.log)
    assert not [name for name in place.blobs() if name.startswith("jobs/")]


def test_a_job_is_followed_again_by_another_process_without_a_second_submission(place, work):
    text = "import time\nfor number in range(4):\n    print(number, flush=True)\n    time.sleep(1)"
    with place.open(reconnect_minutes=0) as compute:
        compute.prepare(NOTHING)
        job = compute.start(work(text), NOTHING)
        wait_for(lambda: b"0" in log_of(place))
        place.livy.is_down = True
        with pytest.raises(ConnectionLostError):
            job.follow(io.BytesIO().write)
    place.livy.is_down = False
    with place.open() as compute:
        [run_id] = compute.find("same")
        again = compute.attach(run_id)
        assert compute.find("another") == []
        written = io.BytesIO()
        assert again.follow(written.write).exit_code == 0
    assert written.getvalue() == b"0\n1\n2\n3\n"
    assert len(place.livy.submitted) == 1


def test_an_expired_password_does_not_end_the_job(place, work):
    with place.open() as compute:
        compute.prepare(NOTHING)
        job = compute.start(work(WAIT), NOTHING)
        wait_for(lambda: b"begun" in log_of(place))
        place.livy.password = "changed"
        began = time.monotonic()
        with pytest.raises(ConnectionLostError, match="does not accept the login"):
            job.follow(io.BytesIO().write)
        assert time.monotonic() - began < 10
        assert place.livy.submitted[0].state == "running"


def test_a_killed_driver_is_told_in_livys_words(place, work):
    with place.open() as compute:
        compute.prepare(NOTHING)
        job = compute.start(work(WAIT), NOTHING)
        written, ending = follow_in_background(job)
        wait_for(lambda: b"begun" in written.getvalue())
        place.livy.submitted[0].kill_driver()
        assert ending().exit_code == 137
        assert ending().reason.startswith("the job's driver was lost: Livy says dead: diagnostics: User application")


def test_clean_takes_everything_once_nothing_runs(place, work):
    with place.open() as compute:
        compute.prepare(NOTHING)
        job = compute.start(work(WAIT), NOTHING)
        with pytest.raises(BackendError, match="run run1 is still running there"):
            compute.clean()
        job.kill()
        assert any("removed environments/" in sentence for sentence in compute.clean())
    assert place.blobs() == []
