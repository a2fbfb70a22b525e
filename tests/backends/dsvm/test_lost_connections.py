"""A job goes on without its connection, and is found again: by who lost it, by the same command, or by name."""

from __future__ import annotations

import time

import pytest
from docker.errors import NotFound

pytestmark = pytest.mark.disturbs

# A line and a metric every tenth of a second, and a child run at each tenth: what is lost or doubled shows.
COUNT = """line=cat > /tmp/count.py <<'PY'
import os, sys, time
from mlflow import MlflowClient
run, client = os.environ["MLFLOW_RUN_ID"], MlflowClient()
for i in range(int(sys.argv[1])):
    print("line", i, flush=True)
    client.log_metric(run, "i", i, step=i)
    if i % 10 == 0:
        client.create_run("0", tags={"mlflow.parentRunId": run}, run_name=f"child {i}")
    time.sleep(0.1)
PY
python /tmp/count.py 100"""


def counted(command) -> list[int]:
    return [int(line.split()[1]) for line in command.lines if line.startswith("line ")]


def test_a_cut_connection_loses_and_doubles_nothing(vm, jobs):
    command = vm.mlflow_run(jobs, "main", COUNT)
    for line in ("line 20", "line 50"):
        command.wait_for(line)
        assert vm.sshd.cut() > 0
    assert command.finished() == 0, command.text
    assert "the connection is lost; the job goes on" in command.text
    assert counted(command) == list(range(100))
    history = vm.store.get_metric_history(command_run(command), "i")
    assert [point.step for point in history] == list(range(100))
    children = vm.store.search_runs(["0"], f"tags.`mlflow.parentRunId` = '{command_run(command)}'")
    assert sorted(child.info.run_name for child in children) == sorted(f"child {i}" for i in range(0, 100, 10))


def command_run(command) -> str:
    return command.wait_for("started run").split("started run ")[1].split()[0]


def test_a_host_that_stays_away_for_a_while_is_waited_for(vm, jobs):
    command = vm.mlflow_run(jobs, "main", COUNT)
    command.wait_for("line 20")
    vm.sshd.stop()
    time.sleep(3)
    vm.sshd.start()
    assert command.finished() == 0, command.text
    assert counted(command) == list(range(100))


def test_a_command_that_gives_up_says_how_to_go_on_and_leaves_the_run_running(vm, jobs):
    command = vm.mlflow_run(jobs, "main", "line=echo begun; sleep 15; echo ended", changes={"reconnect_minutes": 0.01})
    command.wait_for("begun")
    vm.sshd.stop()
    try:
        assert command.finished() == 1
    finally:
        vm.sshd.start()
    run_id = command_run(command)
    assert f"The job goes on there: the same command follows it again, or add -P attach={run_id}." in command.lines[-1]
    assert vm.store.get_run(run_id).info.status == "RUNNING"
    again = vm.mlflow_run(jobs, "main", "line=echo begun; sleep 15; echo ended")
    assert again.finished() == 0, again.text
    assert f"this command was started before; following run {run_id} again" in again.text
    assert [line for line in again.lines if line in ("begun", "ended")] == ["begun", "ended"]
    assert vm.store.get_run(run_id).info.status == "FINISHED"
    assert len(vm.store.search_runs(["0"])) == 1


def test_a_command_that_was_killed_is_followed_again_by_name(vm, jobs):
    command = vm.mlflow_run(jobs, "main", COUNT)
    command.wait_for("line 20")
    command.end()
    run_id = command_run(command)
    again = vm.mlflow_run(jobs, "main", f"attach={run_id}", "line=ignored")
    assert again.finished() == 0, again.text
    assert counted(again) == list(range(100))
    assert vm.store.get_run(run_id).info.status == "FINISHED"
    assert {point.step for point in vm.store.get_metric_history(run_id, "i")} == set(range(100))


def test_a_job_that_ended_meanwhile_is_told_and_removed(vm, jobs):
    line = "line=echo begun; sleep 3; echo the reason; exit 4"
    command = vm.mlflow_run(jobs, "main", line)
    command.wait_for("begun")
    _, container = vm.job_of(command)
    command.end()
    container.wait()
    again = vm.mlflow_run(jobs, "main", line)
    assert again.finished() == 1
    assert "the job failed with exit status 4: the reason" in again.lines[-1]
    assert vm.newest_run().info.status == "FAILED"
    assert vm.containers() == []


def test_a_job_that_is_not_there_cannot_be_attached_to(vm, jobs):
    command = vm.mlflow_run(jobs, "main", "attach=0123456789abcdef", "line=true")
    assert command.finished() == 1
    assert "there is no job of run 0123456789abcdef; it has ended and been removed" in command.lines[-1]


def test_an_engine_that_restarts_ends_the_job_and_the_run_says_so(vm, jobs):
    command = vm.mlflow_run(jobs, "main", "line=echo begun; trap '' TERM; sleep 60")
    command.wait_for("begun")
    run_id, container = vm.job_of(command)
    vm.engine.stop()
    vm.engine.start()
    assert command.finished() == 1
    assert "from outside" in command.lines[-1]
    assert "restarted" in command.lines[-1] or "shut down" in command.lines[-1]
    assert vm.store.get_run(run_id).info.status == "FAILED"
    try:
        vm.docker.containers.get(container.id)
        raise AssertionError("the container is still there")
    except NotFound:
        pass
