"""A job is followed to its end over lost connections, stopped, and found again, by the shared folder alone."""

from __future__ import annotations

import io
import threading
import time

import pytest
from mlflow import MlflowClient

from backends.failures import BackendError, ConnectionLostError
from tests.backends.cluster.conftest import NOTHING
from tests.backends.cluster.folder_compute import FolderCompute

pytestmark = pytest.mark.disturbs

COUNT = "import time\nfor number in range(3):\n    print(number, flush=True)\n    time.sleep(1.1)"
WAIT = (
    "import time\nprint('begun', flush=True)\ntry:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n"
    "    print('tidied')\n    raise"
)


def follow_in_background(job):
    """Follow it on a thread; return what it writes, and a function that waits for the ending."""
    written, endings = io.BytesIO(), []
    thread = threading.Thread(target=lambda: endings.append(job.follow(written.write)), daemon=True)
    thread.start()

    def ending():
        thread.join(20)
        return endings[0]

    return written, ending


def wait_for(written, text):
    limit = time.monotonic() + 20
    while text not in written.getvalue():
        assert time.monotonic() < limit, written.getvalue()
        time.sleep(0.05)


def test_the_log_comes_while_the_job_runs(compute, work):
    written, ending = follow_in_background(compute.start(work(COUNT), NOTHING))
    wait_for(written, b"0\n")
    assert b"2\n" not in written.getvalue()
    assert ending().exit_code == 0
    assert written.getvalue() == b"0\n1\n2\n"


def test_a_lost_connection_loses_and_repeats_nothing(compute, work, capsys):
    job = compute.start(work(COUNT), NOTHING)
    written, ending = follow_in_background(job)
    wait_for(written, b"0\n")
    compute.shared.lost = 3
    assert ending().exit_code == 0
    assert written.getvalue() == b"0\n1\n2\n"
    assert capsys.readouterr().err.count("the connection is lost; the job goes on") == 1


def test_after_the_patience_the_job_goes_on_and_another_process_finds_it(compute, work):
    compute.patience = 0.6
    job = compute.start(work(COUNT), NOTHING)
    compute.shared.lost = 1000
    with pytest.raises(ConnectionLostError):
        job.follow(io.BytesIO().write)
    other = FolderCompute(compute.folder)
    other.processes = compute.processes
    [run_id] = other.find("same")
    found = other.attach(run_id)
    written = io.BytesIO()
    assert found.follow(written.write).exit_code == 0
    assert written.getvalue() == b"0\n1\n2\n"
    assert other.attach("run1").run_id == "run1"
    assert other.find("another") == []


def test_a_job_that_is_asked_to_stop_tidies_up(compute, work):
    job = compute.start(work(WAIT), NOTHING)
    written, ending = follow_in_background(job)
    wait_for(written, b"begun")
    job.ask_to_stop()
    assert (ending().exit_code, ending().reason) == (130, "interrupted.")
    assert written.getvalue() == b"begun\ntidied\n"


def test_a_shell_is_asked_too(compute, work):
    job = compute.start(
        work(command="trap 'echo tidied; exit 1' TERM; echo begun; while true; do sleep 0.1; done"), NOTHING
    )
    written, ending = follow_in_background(job)
    wait_for(written, b"begun")
    job.ask_to_stop()
    assert ending().exit_code == 130
    assert written.getvalue().endswith(b"tidied\n")


def test_a_lost_driver_is_told_in_the_services_words(compute, work):
    job = compute.start(work(WAIT), NOTHING)
    written, ending = follow_in_background(job)
    wait_for(written, b"begun")
    job.kill()
    assert (ending().exit_code, ending().reason) == (137, "the job's driver was lost: the process ended with -9.")


def test_nothing_is_left_of_a_job_but_its_project(compute, work):
    job = compute.start(work("print('x')", TOKEN="hunter2"), NOTHING)
    job.follow(io.BytesIO().write)
    job.remove()
    [name] = compute.shared.names("")
    assert name.startswith("projects/")


def test_a_project_is_put_there_once(compute, work):
    for run_id in ("run1", "run2"):
        compute.start(work("print('x')", run_id=run_id), NOTHING).follow(io.BytesIO().write)
    assert len(compute.shared.names("projects/")) == 1
    compute.start(work("print('y')", run_id="run3"), NOTHING).follow(io.BytesIO().write)
    assert len(compute.shared.names("projects/")) == 2


def test_a_job_that_the_service_refuses_leaves_nothing(compute, work):
    compute.fail_with = BackendError("folder: no.")
    with pytest.raises(BackendError, match=r"^folder: no\.$"):
        compute.start(work("print('x')", TOKEN="hunter2"), NOTHING)
    assert [name for name in compute.shared.names("") if not name.startswith("projects/")] == []
    assert compute.find("same") == []


def test_a_job_whose_id_was_never_written_down_is_found_by_its_name(compute, work):
    job = compute.start(work(COUNT), NOTHING)
    note = compute.folder / "started/run1.json"
    note.write_text(note.read_text().replace('"service_id": "gridfold', '"service_id": "", "name": "gridfold'))
    [run_id] = compute.find("same")
    found = compute.attach(run_id)
    assert found.follow(io.BytesIO().write).exit_code == 0
    job.remove()


def test_clean_waits_for_no_job_and_then_leaves_nothing(compute, work):
    job = compute.start(work(WAIT), NOTHING)
    with pytest.raises(BackendError, match="run run1 is still running there"):
        compute.clean()
    job.kill()
    sentences = compute.clean()
    assert sentences[0] == "folder: removed the job of run run1."
    assert "projects/" in sentences[1]
    assert compute.shared.names("") == []
    assert compute.clean() == []


def test_clean_ends_the_run_of_a_job_that_nobody_has_followed(compute, work):
    client = MlflowClient()
    run_id = client.create_run("0").info.run_id
    job = compute.start(work("raise SystemExit(3)", run_id=run_id), NOTHING)
    assert job.follow(io.BytesIO().write).exit_code == 3
    compute.clean()
    run = client.get_run(run_id)
    assert (run.info.status, run.data.tags["mlflow.note.content"][:34]) == (
        "FAILED",
        "the job failed with exit status 3:",
    )


def test_clean_leaves_a_job_alone_that_begins_while_it_cleans(compute, work, monkeypatch):
    compute.start(work("print('x')"), NOTHING).follow(io.BytesIO().write)

    def begin(*_):
        compute.start(work(COUNT, run_id="run2"), NOTHING)

    monkeypatch.setattr("backends.cluster.compute.runs.settle_unfollowed", begin)
    with pytest.raises(BackendError, match=r"^folder: run run2 was started meanwhile; wait for it, then clean\.$"):
        compute.clean()
    assert compute.attach("run1") is None
    assert compute.attach("run2").follow(io.BytesIO().write).exit_code == 0


def test_what_is_gone_is_said_to_be_gone_and_a_lost_driver_is_not(compute, work):
    compute.start(work("print('x')"), NOTHING).follow(io.BytesIO().write)
    compute.shared.remove("jobs/run1/")  # as a removal does that breaks off there
    assert compute.attach("run1").follow(io.BytesIO().write).is_gone
    lost = compute.start(work(WAIT, run_id="run2"), NOTHING)
    lost.kill()
    assert not lost.follow(io.BytesIO().write).is_gone


def test_the_reason_of_an_ending_has_no_secret_in_it(compute, work):
    text = "import os\nraise RuntimeError('no login with ' + os.environ['DSN'])"
    job = compute.start(work(text, DSN="postgresql://me:hunter2%40hunter2@db/x"), NOTHING)
    assert job.follow(io.BytesIO().write).reason.endswith("RuntimeError: no login with ***")


def test_clean_minds_a_job_that_is_just_being_submitted(compute, work):
    compute.fail_with = KeyboardInterrupt()
    compute._withdraw = lambda started: None  # as if the process had been killed
    with pytest.raises(KeyboardInterrupt):
        compute.start(work(WAIT), NOTHING)
    with pytest.raises(BackendError, match="still running"):
        compute.clean()
