"""``mlflow run -b hdinsight``: a sweep over there is the sweep over here, and every failure is one line."""

from __future__ import annotations

import json

import pytest

from tests.backends.remote_sweeps import (
    SLOW_SWEEP,
    SWEEP,
    assert_same,
    candidates_of,
    sweep_runs,
    table,
    wait_for,
    winner_lines,
)

pytestmark = pytest.mark.disturbs


def test_a_sweep_there_has_the_table_of_one_here(place, project, swept_here):
    there = place.mlflow_run(project, *SWEEP)
    assert there.finished(300) == 0, there.text
    run = sweep_runs(place.store)[0]
    assert run.data.tags["mlflow.project.backend"] == "hdinsight"
    assert run.info.status == "FINISHED"
    [batch] = place.livy.submitted
    tasks = [line for line in batch.log if "Finished task" in line]
    assert len(tasks) >= 6, "\n".join(batch.log)  # fits of two candidates at a time, on Spark
    assert_same(table(place.store, run, place.home), swept_here.table)
    children = candidates_of(place.store, run)
    assert len(children) == 4
    assert {child.info.status for child in children} == {"FINISHED"}
    assert winner_lines(there.lines) == swept_here.printed
    assert place.livy.batches == {}
    assert not [name for name in place.blobs() if name.startswith(("jobs/", "started/"))]
    assert "Traceback" not in there.text


def test_ctrl_c_stops_the_sweep_over_there_and_its_runs_end_killed(place, project):
    command = place.mlflow_run(project, *SLOW_SWEEP)
    command.wait_for("features", 120)
    wait_for(lambda: candidates_of(place.store, sweep_runs(place.store)[0]))
    command.interrupt()
    assert command.finished(120) != 0
    run = sweep_runs(place.store)[0]
    assert run.info.status == "KILLED"
    assert {child.info.status for child in candidates_of(place.store, run)} == {"KILLED"}
    assert any("interrupted (SIGINT)" in line for line in command.lines), command.text
    assert place.livy.batches == {}
    assert not [name for name in place.blobs() if name.startswith(("jobs/", "started/"))]


def test_the_same_command_after_a_lost_laptop_submits_nothing_twice(place, jobs):
    line = "line=for i in 1 2 3 4 5 6 7 8; do echo count $i; sleep 1; done"
    first = place.mlflow_run(jobs, "main", line)
    first.wait_for("count 1")
    first.end()
    again = place.mlflow_run(jobs, "main", line)
    assert again.finished() == 0, again.text
    assert "this command was started before; following run" in again.text
    assert [line for line in again.lines if line.startswith("count")] == [f"count {i}" for i in range(1, 9)]
    assert len(place.livy.submitted) == 1
    assert place.newest_run().info.status == "FINISHED"


def test_a_killed_driver_is_a_failed_run(place, jobs):
    command = place.mlflow_run(jobs, "main", "line=echo begun; sleep 60")
    command.wait_for("begun")
    place.livy.submitted[0].kill_driver()
    assert command.finished() == 1
    run = place.newest_run()
    assert run.info.status == "FAILED"
    assert "the job's driver was lost: Livy says dead" in run.data.tags["mlflow.note.content"]
    assert "Traceback" not in command.text


@pytest.mark.parametrize(
    ("changes", "environment", "sentence"),
    [
        (
            {},
            {"HDINSIGHT_PASSWORD": "wrong"},
            "Livy does not accept the login. Set HDINSIGHT_USER and HDINSIGHT_PASSWORD",
        ),
        ({"executors": 2}, {}, "executors: unknown key. Did you mean 'num_executors'?"),
        (
            {},
            {"MLFLOW_TRACKING_URI": "sqlite:///mlflow.db"},
            "the tracking store sqlite:///mlflow.db cannot be reached",
        ),
    ],
    ids=["wrong password", "unknown key", "local store"],
)
def test_what_cannot_work_is_one_line_and_submits_nothing(place, jobs, changes, environment, sentence):
    command = place.mlflow_run(jobs, "main", "line=true", changes=changes, environment=environment)
    assert command.finished() == 1
    assert sentence in command.lines[-1]
    assert "Traceback" not in command.text
    assert place.livy.submitted == []
    assert place.blobs() == []


def test_secrets_are_on_no_command_line_and_in_no_log(place, jobs):
    secret = "hunter2-hunter2"
    command = place.mlflow_run(
        jobs, "main", "line=echo token $TOKEN", changes={"environment": ["TOKEN"]}, environment={"TOKEN": secret}
    )
    assert command.finished() == 0, command.text
    assert "token ***" in command.lines
    [batch] = place.livy.submitted
    assert secret not in json.dumps(batch.request)
    assert not any(secret in line for line in batch.log)
    stored = [place.container.download_blob(f"gridfold/{name}").readall() for name in place.blobs()]
    assert not any(secret.encode() in content for content in stored)
