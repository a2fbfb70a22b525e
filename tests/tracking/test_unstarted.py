"""Runs that `mlflow run` made and was killed before it started our process."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import psutil
import pytest

from tracking import EntryRun, unstarted
from tracking.unstarted import NEVER_BEGUN

PROJECT = {
    "mlflow.user": "ada",
    "mlflow.source.name": "/home/ada/gridfold",
    "mlflow.source.type": "PROJECT",
    "mlflow.project.entryPoint": "sweep",
}


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """A cache of the test's own, and of the machine's processes its children alone: others may run MLflow too."""
    monkeypatch.setenv("SWEEP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(psutil, "process_iter", lambda: iter(psutil.Process().children(recursive=True)))


@pytest.fixture
def mlflow_run(client, monkeypatch):
    """Makes a run as `mlflow run` does, some seconds ago."""

    def make(seconds_ago=600.0, name=None, **tags):
        named = {f"mlflow.{key}": value for key, value in tags.items()}
        began = round(1000 * (time.time() - seconds_ago))
        experiment = os.environ["MLFLOW_EXPERIMENT_ID"]
        return client.create_run(experiment, began, PROJECT | named, name).info.run_id

    return make


@pytest.fixture
def next_command(client, mlflow_run, monkeypatch):
    """Begins the next `mlflow run`, and gives what it ends."""

    def begin(**tags):
        monkeypatch.setenv("MLFLOW_RUN_ID", mlflow_run(0, **tags))
        return EntryRun.begin("sweep").end_abandoned()

    return begin


def test_it_is_ended_by_the_next_and_says_why(client, mlflow_run, next_command):
    left = mlflow_run()
    assert next_command() == [left]
    run = client.get_run(left)
    assert run.info.status == "KILLED"
    assert run.data.tags["mlflow.note.content"] == NEVER_BEGUN
    assert next_command() == []


def test_so_is_one_whose_process_was_started_and_killed_as_it_loaded(mlflow_run, next_command):
    left = mlflow_run(**{"project.backend": "local"})
    assert next_command() == [left]


@pytest.mark.parametrize(
    "other", [{"user": "bob"}, {"source.name": "/elsewhere"}, {"project.backend": "dsvm"}, {"source.type": "LOCAL"}]
)
def test_runs_of_others_and_of_backends_are_left(client, mlflow_run, next_command, other):
    left = mlflow_run(**other)
    assert next_command() == []
    assert client.get_run(left).info.status == "RUNNING"


def test_a_run_that_has_a_name_was_begun_or_is_somebodys(client, mlflow_run, next_command):
    mlflow_run(name="sweep")
    assert next_command() == []


def test_a_command_by_hand_ends_none(mlflow_run):
    mlflow_run()
    assert EntryRun.begin("sweep").end_abandoned() == []


def working(words, program="print(1, flush=True); input()", **environment):
    """A process that waits, begun by now."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | environment,
    )
    process.stdout.readline()
    return process


def test_what_may_still_be_worked_on_is_left(mlflow_run, next_command):
    long_ago, just_now = mlflow_run(), mlflow_run(0)
    process = working(["mlflow", "run", "."])
    try:
        assert next_command() == [long_ago]  # the one who lives began after it
    finally:
        process.communicate(b"\n")
    assert next_command()[:1] == [just_now]


def test_a_command_for_another_store_makes_no_runs_here(mlflow_run, next_command, monkeypatch):
    left = mlflow_run(0)
    monkeypatch.setattr(unstarted, "get_tracking_uri", lambda: "sqlite:////home/ada/mlflow.db")
    relative = working(["mlflow", "run", "."], MLFLOW_TRACKING_URI="sqlite:///mlflow.db")
    elsewhere = working(["mlflow", "run", "."], MLFLOW_TRACKING_URI="sqlite:////home/bob/mlflow.db")
    try:
        assert next_command() == []  # the first may mean the same file
        relative.communicate(b"\n")
        assert next_command()[:1] == [left]
    finally:
        elsewhere.communicate(b"\n")


STARTS = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"


def test_a_command_that_has_started_its_run_starts_no_other(mlflow_run, next_command):
    left, theirs = mlflow_run(0), mlflow_run(0)
    process = working(["mlflow", "run", "."], program=STARTS.replace("])", f"], env={{'MLFLOW_RUN_ID': '{theirs}'}})"))
    try:
        assert next_command()[:1] == [left]
    finally:
        process.communicate(b"\n")


def test_a_run_whose_process_is_still_loading_is_left(mlflow_run, next_command):
    told = mlflow_run()
    process = working([], MLFLOW_RUN_ID=told)
    try:
        assert next_command() == []
    finally:
        process.communicate(b"\n")


@pytest.mark.parametrize("store", ["mlruns", "C:\\mlruns", "c:/ml/runs", "file:///C:/mlruns", "sqlite:///C:/mlflow.db"])
def test_in_a_file_of_this_machine_it_is_ended_at_once(mlflow_run, next_command, monkeypatch, store):
    left = mlflow_run(3600)
    monkeypatch.setattr(unstarted, "get_tracking_uri", lambda: store)
    assert next_command() == [left]


def test_on_a_server_it_is_ended_after_a_day(client, mlflow_run, next_command, monkeypatch):
    yesterday, _ = mlflow_run(25 * 3600), mlflow_run(23 * 3600)
    monkeypatch.setattr(unstarted, "get_tracking_uri", lambda: "http://elsewhere:5000")
    assert next_command() == [yesterday]
