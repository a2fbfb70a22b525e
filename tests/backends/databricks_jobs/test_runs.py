"""Runs that really run: submitted once, followed, cancelled, and nothing left."""

from __future__ import annotations

import io
import json

import pytest
from databricks.sdk.service import jobs

from backends.cluster.job import LockedOutError
from backends.databricks_jobs.compute import has_ended, inside, why
from backends.failures import BackendError, ConnectionLostError
from tests.backends.databricks_jobs.conftest import ENVIRONMENT
from tests.backends.remote_sweeps import follow_in_background, wait_for
from tests.services.databricks import USER, VOLUME, Fault

pytestmark = pytest.mark.disturbs

WAIT = "import time\nprint('begun', flush=True)\ntime.sleep(60)"
COUNT = "import time\nfor number in range(4):\n    print(number, flush=True)\n    time.sleep(1.1)"
SECRET = "hunter2-hunter2"


def stored(workspace):
    root = workspace.files.real(f"{VOLUME}/{USER}")
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_a_job_finds_its_secrets_and_nobody_else_does(workspace, compute, work):
    opened = compute()
    text = "import os, sys\nprint(os.environ['TOKEN'], os.environ['TOKEN'] == 'hunter2-' * 2 + 'x')"
    job = opened.start(work(text, TOKEN="hunter2-hunter2-x"), ENVIRONMENT)
    written = io.BytesIO()
    assert job.follow(written.write).exit_code == 0
    assert written.getvalue() == b"*** True\n"
    [run] = workspace.runs.values()
    assert "hunter2" not in json.dumps(run.body)
    assert not any(b"hunter2" in path.read_bytes() for path in workspace.folder.rglob("*") if path.is_file())
    assert list(workspace.secrets[f"gridfold-{USER}"]) == ["run1"]
    job.remove()
    assert workspace.secrets[f"gridfold-{USER}"] == {}
    assert [name.partition("/")[0] for name in stored(workspace)] == ["projects"]


def test_a_secret_that_is_gone_is_the_jobs_reason(workspace, compute, work):
    opened = compute()
    workspace.faults = [Fault("secrets/get", status=404)]
    ending = opened.start(work("print('ran')", TOKEN=SECRET), ENVIRONMENT).follow(io.BytesIO().write)
    assert ending.exit_code == 1
    assert ending.reason.startswith("the job's secrets cannot be read: ")


@pytest.mark.parametrize(
    "fault",
    [Fault("runs/submit", status=0), Fault("runs/submit", times=2, status=429, headers={"Retry-After": "1"})],
    ids=["its answer is lost", "the service is busy"],
)
def test_what_is_submitted_again_is_one_run(workspace, compute, work, fault):
    opened = compute()
    workspace.faults = [fault]
    job = opened.start(work("print('ran')"), ENVIRONMENT)
    written = io.BytesIO()
    assert job.follow(written.write).exit_code == 0
    assert written.getvalue() == b"ran\n"
    assert workspace.count("runs/submit") > 1
    assert len(workspace.runs) == 1


def test_a_job_that_is_refused_leaves_nothing(workspace, compute, work):
    opened = compute()
    workspace.faults = [Fault("runs/submit", status=403)]
    with pytest.raises(BackendError, match=r"127\.0\.0\.1: refuses: The service is busy"):
        opened.start(work("print('ran')", TOKEN=SECRET), ENVIRONMENT)
    assert [name.partition("/")[0] for name in stored(workspace)] == ["projects"]
    assert workspace.secrets[f"gridfold-{USER}"] == {}
    assert workspace.runs == {}


def test_a_connection_that_comes_back_loses_and_repeats_nothing(workspace, compute, work):
    job = compute().start(work(COUNT), ENVIRONMENT)
    written, ending = follow_in_background(job)
    wait_for(lambda: b"0\n" in written.getvalue())
    workspace.faults = [Fault("", times=3, status=500)]
    assert ending().exit_code == 0
    assert written.getvalue() == b"0\n1\n2\n3\n"


def test_a_token_that_expires_meanwhile_ends_the_command_and_not_the_job(workspace, compute, work, monkeypatch):
    job = compute().start(work(COUNT), ENVIRONMENT)
    workspace.token, old = "dapi-newer", workspace.token
    with pytest.raises(LockedOutError, match="Sign in again"):
        job.follow(io.BytesIO().write)
    assert issubclass(LockedOutError, ConnectionLostError)  # so that the person is told that the job goes on
    assert old != workspace.token
    monkeypatch.setenv("DATABRICKS_TOKEN", workspace.token)
    opened_again = compute()
    [run_id] = opened_again.find("same")
    found = opened_again.attach(run_id)
    written = io.BytesIO()
    assert found.follow(written.write).exit_code == 0
    assert written.getvalue() == b"0\n1\n2\n3\n"
    assert len(workspace.runs) == 1


def test_a_run_whose_id_was_never_written_down_is_found_by_its_name(workspace, compute, work):
    opened = compute()
    opened.start(work("print('ran')"), ENVIRONMENT)
    note = workspace.files.real(f"{VOLUME}/{USER}/started/run1.json")
    note.write_text(json.dumps(json.loads(note.read_text()) | {"service_id": ""}))
    [run_id] = opened.find("same")
    found = opened.attach(run_id)
    assert found.follow(io.BytesIO().write).exit_code == 0


def test_a_driver_without_memory_is_told_in_databricks_words(workspace, compute, work):
    job = compute().start(work(WAIT), ENVIRONMENT)
    written, ending = follow_in_background(job)
    wait_for(lambda: b"begun" in written.getvalue())
    [run] = workspace.runs.values()
    run.kill_driver()
    assert ending().exit_code == 137
    assert ending().reason == (
        "the job's driver was lost: Databricks says RUN_EXECUTION_ERROR: Workload failed, see run output for details: "
        "The Python process exited with exit code 137 (SIGKILL: Killed). This may have been caused by an OOM error."
    )


def test_of_a_driver_that_says_nothing_the_log_tells_what_is_left_of_it(workspace, compute, work):
    job = compute().start(
        work("import os, time\ntime.sleep(1.5)\nprint('a' * 30, flush=True)\ntime.sleep(1)\nos._exit(3)"), ENVIRONMENT
    )
    [run] = workspace.runs.values()
    run.log_limit = 12
    ending = job.follow(io.BytesIO().write)
    assert ending.reason.endswith("see run output for details: aaaaaaaaaaaa (the log is cut off here).")


def test_a_job_is_asked_first_and_then_cancelled(workspace, compute, work):
    polite = compute().start(work(WAIT), ENVIRONMENT)
    written, ending = follow_in_background(polite)
    wait_for(lambda: b"begun" in written.getvalue())
    polite.ask_to_stop()
    assert (ending().exit_code, ending().reason) == (130, "interrupted.")
    deaf = compute().start(work(WAIT, run_id="run2"), ENVIRONMENT)
    written, ending = follow_in_background(deaf)
    wait_for(lambda: b"begun" in written.getvalue())
    deaf.kill()
    assert ending().reason == "the job's driver was lost: Databricks says USER_CANCELED: Run cancelled."
    deaf.kill()
    assert [run.cancelled for run in workspace.runs.values()] == [False, True]


def test_clean_waits_for_no_job_and_then_leaves_nothing(workspace, compute, work):
    opened = compute()
    job = opened.start(work(WAIT, TOKEN=SECRET), ENVIRONMENT)
    with pytest.raises(BackendError, match="run run1 is still running there"):
        opened.clean()
    job.kill()
    wait_for(lambda: not job.is_running())
    assert opened.clean()[0] == "127.0.0.1: removed the job of run run1."
    assert stored(workspace) == []
    assert workspace.secrets == {}
    assert opened.clean() == []


def test_clean_leaves_the_secrets_of_jobs_elsewhere(workspace, compute, work):
    opened = compute()
    opened.start(work("print('ran')", TOKEN=SECRET), ENVIRONMENT).follow(io.BytesIO().write)
    [secrets] = workspace.secrets.values()
    secrets["run2"] = "of a job below another folder"
    opened.clean()
    assert secrets == {"run2": "of a job below another folder"}


def run_of(**answer) -> jobs.Run:
    return jobs.Run.from_dict(answer)


@pytest.mark.parametrize("state", ["QUEUED", "PENDING", "RUNNING", "TERMINATING", "WAITING_FOR_RETRY", "BLOCKED"])
def test_what_is_still_at_work(state):
    assert not has_ended(run_of(state={"life_cycle_state": state}))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"state": {"life_cycle_state": "TERMINATED", "result_state": "SUCCESS"}}, ""),
        (
            {"state": {"life_cycle_state": "TERMINATED", "result_state": "TIMEDOUT", "state_message": "too\nlong."}},
            "Databricks says TIMEDOUT: too long",
        ),
        (
            {"state": {"life_cycle_state": "INTERNAL_ERROR", "state_message": "no machine"}},
            "Databricks says that the run did not end well: no machine",
        ),
        (
            {"status": {"state": "TERMINATED", "termination_details": {"code": "LIBRARY_INSTALLATION_ERROR"}}},
            "Databricks says LIBRARY_INSTALLATION_ERROR",
        ),
        ({"status": {"state": "TERMINATED", "termination_details": {"code": "SUCCESS"}}}, ""),
    ],
)
def test_the_older_state_and_the_newer_status_are_both_understood(answer, words):
    run = run_of(**answer)
    assert has_ended(run)
    assert why(run) == words


def test_a_job_names_its_own_workspace_without_a_profile():
    given = {"MLFLOW_TRACKING_URI": "databricks://mine", "A": "b"}
    assert inside(given, {"MLFLOW_REGISTRY_URI": "databricks-uc://mine"}) == {
        "MLFLOW_TRACKING_URI": "databricks",
        "MLFLOW_REGISTRY_URI": "databricks-uc",
        "A": "b",
    }
    assert inside({"MLFLOW_TRACKING_URI": "https://mine"}, {}) == {"MLFLOW_TRACKING_URI": "https://mine"}
