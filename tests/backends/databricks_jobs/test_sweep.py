"""``mlflow run -b databricks-jobs``: a sweep over there is the sweep over here, and every failure is one line."""

from __future__ import annotations

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
from tests.services import spark_connect
from tests.services.spark_connect import ConnectServer
from tests.services.startup import require

pytestmark = pytest.mark.disturbs


def test_a_sweep_on_a_cluster_and_on_serverless_has_the_table_of_one_here(place, project, swept_here):
    there = place.mlflow_run(project, *SWEEP)
    assert there.finished(300) == 0, there.text
    run = sweep_runs(place.store)[0]
    assert run.data.tags["mlflow.project.backend"] == "databricks-jobs"
    assert run.info.status == "FINISHED"
    assert_same(table(place.store, run, place.home), swept_here.table)
    assert "Starting task " in place.workspace.runs[1000].log()  # of Spark's own scheduler: the fits ran there
    children = candidates_of(place.store, run)
    assert len(children) == 4
    assert {child.info.status for child in children} == {"FINISHED"}
    assert all("split2_test_score" in child.data.metrics for child in children)
    assert winner_lines(there.lines) == swept_here.printed
    [name] = place.files()
    assert "/projects/" in name

    require(spark_connect.lacking())
    with ConnectServer(place.workspace.master) as server:
        place.workspace.spark_remote = server.address
        serverless = place.mlflow_run(project, *SWEEP, changes={"new_cluster": None, "serverless": {}})
        assert serverless.finished(300) == 0, serverless.text
        tasks = server.log().count("Starting task ")
    assert_same(table(place.store, sweep_runs(place.store)[0], place.home), swept_here.table)
    assert tasks >= 1 + 6, serverless.text  # the probe, and fits of two candidates at a time, on executors
    assert "Starting task " not in place.workspace.runs[1010].log()
    assert len(place.files()) == 1  # the project, once for both
    assert "Traceback" not in there.text + serverless.text


def test_ctrl_c_stops_the_sweep_over_there_and_its_runs_end_killed(place, project):
    command = place.mlflow_run(project, *SLOW_SWEEP)
    command.wait_for("features", 120)
    wait_for(lambda: candidates_of(place.store, sweep_runs(place.store)[0]))
    command.interrupt()
    assert command.finished(120) != 0
    run = sweep_runs(place.store)[0]
    assert run.info.status == "KILLED"
    assert {child.info.status for child in candidates_of(place.store, run)} == {"KILLED"}
    [job] = place.workspace.runs.values()
    assert job.state == "TERMINATED"
    assert job.process.poll() is not None
    assert all("/projects/" in name for name in place.files())


def test_the_same_command_after_a_lost_laptop_submits_nothing_twice(place, jobs):
    line = "line=for i in 1 2 3 4 5; do echo count $i; sleep 1; done"
    first = place.mlflow_run(jobs, "main", line)
    first.wait_for("count 1")
    first.end()
    again = place.mlflow_run(jobs, "main", line)
    assert again.finished() == 0, again.text
    assert "this command was started before; following run" in again.text
    assert [line for line in again.lines if line.startswith("count")] == [f"count {i}" for i in range(1, 6)]
    assert len(place.workspace.runs) == 1
    assert place.newest_run().info.status == "FINISHED"


def test_a_killed_driver_is_a_failed_run(place, jobs):
    command = place.mlflow_run(jobs, "main", "line=echo begun; sleep 60")
    command.wait_for("begun")
    [job] = place.workspace.runs.values()
    job.kill_driver()
    assert command.finished() == 1
    run = place.newest_run()
    assert run.info.status == "FAILED"
    assert "the job's driver was lost: Databricks says RUN_EXECUTION_ERROR" in run.data.tags["mlflow.note.content"]
    assert "Traceback" not in command.text


@pytest.mark.parametrize(
    ("changes", "environment", "sentence"),
    [
        ({}, {"DATABRICKS_TOKEN": "dapi-wrong"}, "127.0.0.1: refuses: Invalid access token"),
        ({"serverless": {}}, {}, "give exactly one of new_cluster, existing_cluster_id, serverless"),
        (
            {},
            {"MLFLOW_TRACKING_URI": "sqlite:///mlflow.db"},
            "the tracking store sqlite:///mlflow.db cannot be reached",
        ),
    ],
    ids=["wrong token", "two kinds", "local store"],
)
def test_what_cannot_work_is_one_line_and_submits_nothing(place, jobs, changes, environment, sentence):
    command = place.mlflow_run(jobs, "main", "line=true", changes=changes, environment=environment)
    assert command.finished() == 1
    assert sentence in command.lines[-1]
    assert "Traceback" not in command.text
    assert place.workspace.runs == {}
    assert place.files() == []
