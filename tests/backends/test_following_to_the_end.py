"""What a command makes of a job's end, and of a person who wants it to end."""

from __future__ import annotations

import time
from types import SimpleNamespace

import mlflow
import pytest
from mlflow import MlflowClient

from backends import following, plugin
from backends.failures import BackendError, ConnectionLostError
from backends.job import Ending

pytestmark = pytest.mark.disturbs


class Job:
    """A job that ends as it is told to: what follows one another in `turns`, an Ending, an error, or a wait."""

    def __init__(self, run_id, *turns):
        self.run_id = run_id
        self.turns = list(turns)
        self.asked = None
        self.was_killed = self.was_removed = False

    def follow(self, write):
        turn = self.turns.pop(0)
        if turn == "wait":
            for _ in range(600):  # as real ones look up now and then, so that Ctrl-C is noticed
                time.sleep(0.1)
        if isinstance(turn, BaseException):
            raise turn
        return turn

    def ask_to_stop(self):
        if self.asked is not None:
            raise self.asked

    def kill(self):
        self.was_killed = True

    def remove(self):
        self.was_removed = True


@pytest.fixture
def run(tmp_path):
    """A store, and a run in it."""
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    mlflow.set_tracking_uri(uri)
    client = MlflowClient(uri)
    yield SimpleNamespace(
        client=client, id=client.create_run("0").info.run_id, request=SimpleNamespace(tracking_uri=uri)
    )
    mlflow.set_tracking_uri(None)


def status_of(run):
    return run.client.get_run(run.id).info.status


def test_a_run_that_has_ended_well_stays_so_when_the_rest_of_its_job_is_gone(run):
    run.client.set_terminated(run.id, "FINISHED")
    job = Job(run.id, Ending(137, "the job's container was removed there.", is_gone=True))
    assert following.follow(job, "there", run.request) == run.id
    assert status_of(run) == "FINISHED"
    assert job.was_removed


def test_a_run_that_says_nothing_has_failed_when_its_job_is_gone(run):
    job = Job(run.id, Ending(137, "the job's container was removed there.", is_gone=True))
    with pytest.raises(BackendError, match="removed there"):
        following.follow(job, "there", run.request)
    assert status_of(run) == "FAILED"


def test_the_note_has_no_secret_in_it(run):
    job = Job(run.id, Ending(1, "no login with postgresql://me:hunter2hunter2@db/x"))
    with pytest.raises(BackendError):
        following.follow(job, "there", run.request)
    assert run.client.get_run(run.id).data.tags["mlflow.note.content"] == "no login with postgresql://…@db/x"


def test_a_job_that_cannot_be_asked_to_stop_is_said_to_go_on(run, capsys):
    job = Job(run.id, KeyboardInterrupt())
    job.asked = ConnectionLostError("there: the connection was lost.")
    with pytest.raises(ConnectionLostError, match=rf"The job goes on there: .* add -P attach={run.id}\.$"):
        following.follow(job, "there", run.request)
    assert status_of(run) == "RUNNING"
    assert not job.was_removed
    assert "asks the job to stop, and kills it" in capsys.readouterr().err


def test_any_failure_to_follow_says_that_the_job_goes_on(run):
    job = Job(run.id, BackendError("the storage refuses: 403."))
    with pytest.raises(BackendError, match=rf"403\. The job goes on there: .* attach={run.id}\.$"):
        following.follow(job, "there", run.request)
    assert status_of(run) == "RUNNING"


def test_a_job_that_does_not_stop_is_killed_by_the_thread_that_follows_it(run, monkeypatch):
    monkeypatch.setattr(following, "STOP_SECONDS", 0.3)
    job = Job(run.id, KeyboardInterrupt(), "wait", Ending(137, "killed"))
    with pytest.raises(KeyboardInterrupt):
        following.follow(job, "there", run.request)
    assert job.was_killed
    assert status_of(run) == "KILLED"


@pytest.mark.parametrize(("said", "status"), [("FINISHED", "FINISHED"), (None, "KILLED")])
def test_a_job_that_succeeds_while_it_is_stopped_has_succeeded_if_it_says_so(run, said, status):
    if said:
        run.client.set_terminated(run.id, said)
    job = Job(run.id, KeyboardInterrupt(), Ending(0))
    if said:
        assert following.follow(job, "there", run.request) == run.id
    else:
        with pytest.raises(KeyboardInterrupt):
            following.follow(job, "there", run.request)
    assert status_of(run) == status
    assert job.was_removed


def test_a_secret_in_the_stores_address_travels_unseen():
    environment = {"MLFLOW_TRACKING_URI": "postgresql://me:hunter2@db/x", "MLFLOW_RUN_ID": "abc"}
    assert plugin._parted(environment, {"TOKEN": "t"}) == (
        {"MLFLOW_RUN_ID": "abc"},
        {"TOKEN": "t", "MLFLOW_TRACKING_URI": "postgresql://me:hunter2@db/x"},
    )
