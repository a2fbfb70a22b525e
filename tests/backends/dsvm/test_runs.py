"""``mlflow run -b dsvm`` on a real engine over real SSH: what runs, how it ends, and what is left behind."""

from __future__ import annotations

import os
import signal

import pytest

pytestmark = pytest.mark.disturbs

LOG_ONE_METRIC = (
    "python -c \"import os; from mlflow import MlflowClient as C; r = os.environ['MLFLOW_RUN_ID']; c = C(); "
    "c.log_metric(r, 'm', 7); open('/tmp/a.txt', 'w').write('hello'); c.log_artifact(r, '/tmp/a.txt')\""
)


def test_the_second_run_reuses_the_image_and_says_so(vm, image, jobs):
    assert "GRIDFOLD_TEST_ENGINE" in os.environ or "made the environment's image gridfold-env:" in image
    command = vm.mlflow_run(jobs, "main", "line=true")
    assert command.finished() == 0, command.text
    assert "reused the environment's image gridfold-env:" in command.text


def test_the_image_has_no_gpu_packages_and_its_size_is_told(vm, image):
    [environment] = vm.docker.images.list("gridfold-env")
    assert f"the environment's image {environment.tags[0]} ({environment.attrs['Size'] / 1e6:,.0f} MB)" in image
    listed = vm.docker.containers.run(
        environment.id, ["-m", "pip", "list", "--format=freeze"], network_mode="host", remove=True
    )
    assert b"xgboost==" in listed
    assert b"nvidia" not in listed


def test_a_job_logs_to_the_users_own_store_through_the_tunnel(vm, jobs):
    command = vm.mlflow_run(jobs, "main", f"line={LOG_ONE_METRIC}")
    assert command.finished() == 0, command.text
    run = vm.newest_run()
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {"m": 7.0}
    assert run.data.tags["mlflow.project.backend"] == "dsvm"
    artifacts = vm.home / "mlruns" / "0" / run.info.run_id / "artifacts"
    assert run.info.artifact_uri == str(artifacts)
    assert (artifacts / "a.txt").read_text() == "hello"


def test_nothing_is_left_but_the_image_and_the_cache(vm, jobs):
    command = vm.mlflow_run(jobs, "main", "line=echo kept > /cache/kept; mkdir /tmp/x")
    assert command.finished() == 0, command.text
    assert vm.containers() == []
    assert [volume.name for volume in vm.docker.volumes.list()] == ["gridfold-cache"]
    again = vm.mlflow_run(jobs, "main", "line=cat /cache/kept; ls /tmp")
    assert again.finished() == 0, again.text
    assert "kept" in again.lines


def test_a_failing_job_fails_the_command_and_its_run(vm, jobs):
    command = vm.mlflow_run(jobs, "main", "line=echo the reason >&2; exit 3")
    assert command.finished() == 1
    run = vm.newest_run()
    assert run.info.status == "FAILED"
    assert run.data.tags["mlflow.note.content"] == "the job failed with exit status 3: the reason"
    assert f"run {run.info.run_id}: the job failed with exit status 3: the reason" in command.lines[-1]
    assert "Traceback" not in command.text
    assert vm.containers() == []


def test_out_of_memory_is_said_with_the_limit(vm, jobs):
    line = "line=python -c \"print(len(b'x' * (600 << 20)))\""
    command = vm.mlflow_run(jobs, "main", line, changes={"memory": "256m"})
    assert command.finished() == 1
    assert "out of memory; the limit is 256 MiB" in command.lines[-1]
    assert vm.newest_run().info.status == "FAILED"


def test_a_worker_killed_for_memory_is_said_too(vm, jobs):
    line = "line=python -c \"print(len(b'x' * (600 << 20)))\" || exit 5"
    command = vm.mlflow_run(jobs, "main", line, changes={"memory": "256m"})
    assert command.finished() == 1
    assert "out of memory; the limit is 256 MiB" in command.lines[-1]


def test_the_limits_hold(vm, jobs):
    line = "line=python -c 'import loky; print(\"cores\", loky.cpu_count())'; df -m --output=size /dev/shm | tail -1"
    command = vm.mlflow_run(jobs, "main", line, changes={"memory": "512m", "cpus": 1})
    assert command.finished() == 0, command.text
    assert "cores 1" in command.lines
    assert "256" in [line.strip() for line in command.lines]


def test_a_killed_container_is_a_failed_run(vm, jobs):
    command = vm.mlflow_run(jobs, "main", "line=echo begun; sleep 60")
    command.wait_for("begun")
    _, container = vm.job_of(command)
    container.kill()
    assert command.finished() == 1
    assert "killed from outside" in command.lines[-1]
    assert vm.newest_run().info.status == "FAILED"


def test_a_removed_container_is_a_failed_run(vm, jobs):
    command = vm.mlflow_run(jobs, "main", "line=echo begun; sleep 60")
    command.wait_for("begun")
    _, container = vm.job_of(command)
    container.remove(force=True)
    assert command.finished() == 1
    assert vm.newest_run().info.status == "FAILED"


def test_ctrl_c_asks_the_job_to_stop_and_ends_its_runs_killed(vm, jobs):
    line = (
        "line=python -c \"import os; from mlflow import MlflowClient as C; r = os.environ['MLFLOW_RUN_ID']; "
        "C().create_run('0', tags={'mlflow.parentRunId': r})\"; trap 'echo tidied; exit 143' TERM; echo begun; "
        "while true; do sleep 0.1; done"
    )
    command = vm.mlflow_run(jobs, "main", line)
    command.wait_for("begun")
    command.interrupt()
    assert command.finished() != 0
    assert "tidied" in command.lines
    assert [run.info.status for run in vm.store.search_runs(["0"])] == ["KILLED", "KILLED"]
    assert vm.containers() == []


def test_a_second_ctrl_c_kills(vm, jobs):
    command = vm.mlflow_run(jobs, "main", "line=trap '' TERM; echo begun; while true; do sleep 0.1; done")
    command.wait_for("begun")
    command.interrupt()
    command.wait_for("Press Ctrl-C again")
    command.interrupt()
    assert command.finished(20) != 0
    assert vm.newest_run().info.status == "KILLED"
    assert vm.containers() == []


def test_two_jobs_at_once_do_not_meet(vm, jobs):
    lines = [f"line=echo begun; sleep 4; {LOG_ONE_METRIC}; echo done" for _ in range(2)]
    commands = [vm.mlflow_run(jobs, "main", line) for line in lines]
    for command in commands:
        assert command.finished() == 0, command.text
    runs = vm.store.search_runs(["0"])
    assert [(run.info.status, run.data.metrics) for run in runs] == [("FINISHED", {"m": 7.0})] * 2


def test_a_job_that_was_made_and_never_started_is_no_job(vm, jobs):
    """As a command leaves it that is killed while it sends the project."""
    run_id = vm.store.create_run("0").info.run_id
    image = vm.docker.images.list("gridfold-env")[0]
    vm.docker.containers.create(image, labels={"gridfold": "job", "gridfold.run": run_id, "gridfold.tunnel": "true"})
    command = vm.mlflow_run(jobs, "main", f"attach={run_id}", "line=ignored")
    assert command.finished() == 1
    assert f"there is no job of run {run_id}" in command.lines[-1]
    assert vm.store.get_run(run_id).info.status == "FAILED"
    assert vm.containers() == []


@pytest.mark.parametrize("entry_point", ["clean"])
def test_clean_waits_for_no_job(vm, jobs, entry_point):
    command = vm.mlflow_run(jobs, "main", "line=echo begun; sleep 60")
    command.wait_for("begun")
    cleaning = vm.mlflow_run(jobs, entry_point)
    assert cleaning.finished() == 1
    assert "still running there; stop it or wait" in cleaning.lines[-1]
    assert vm.docker.images.list("gridfold-env")


def test_keep_leaves_the_container_to_look_into(vm, jobs):
    command = vm.mlflow_run(jobs, "main", "line=exit 1", changes={"keep": True})
    assert command.finished() == 1
    assert vm.containers() == [f"gridfold-kept-{vm.newest_run().info.run_id[:12]}"]
    again = vm.mlflow_run(jobs, "main", "line=exit 1", changes={"keep": True})
    assert again.finished() == 1
    assert len(vm.containers()) == len(vm.store.search_runs(["0"])) == 2


def test_a_terminal_shows_a_progress_bar_as_it_moves(vm, jobs):
    """A bar has no end of line; it must not wait for one."""
    line = "line=python -c \"import sys, time; print(sys.stdout.isatty(), end='...'); time.sleep(30)\""
    command = vm.mlflow_run(jobs, "main", line, terminal=True)
    command.wait_for("True...", 60)
    command.process.send_signal(signal.SIGKILL)
