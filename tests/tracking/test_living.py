"""Runs whose process is gone are ended by the next command; those of the living, and of other stores, are left."""

from __future__ import annotations

import os

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from tests.tracking.outcomes import SPEC
from tracking import EntryRun, SweepRecorder, living
from tracking.continued import CONTINUED_BY, CONTINUES, FINGERPRINT, continue_earlier
from tracking.open_run import JOURNAL
from tuning.candidates import Candidate
from tuning.results.fold_score import FoldScore

pytestmark = pytest.mark.disturbs


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SWEEP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "live"


def begun(name="sweep"):
    run = EntryRun.begin(name)
    run.hold()
    return run


def killed(run):
    """Do what the kernel does when it ends a process."""
    os.close(run._alive._descriptor)
    run._alive._descriptor = None


def status(client, run_id):
    return client.get_run(run_id).info.status


def test_the_run_of_a_killed_process_is_ended_and_its_candidates_with_it(client, children, cache):
    run = begun()
    recorder = SweepRecorder(run)
    recorder.started(SPEC, 2, 1)
    done, doing = Candidate({"n_estimators": 1}), Candidate({"n_estimators": 2})
    recorder.scored(
        [FoldScore(done, 0, {"neg_log_loss": -1.0}), FoldScore(doing, 0, {"neg_log_loss": -1.0}, share=0.5)]
    )
    recorder._parent.patience.allow(0)
    recorder._tell_last("RUNNING")
    killed(run)
    assert status(client, run.run_id) == "RUNNING"
    assert EntryRun.begin("next").end_abandoned() == [run.run_id]
    assert status(client, run.run_id) == "KILLED"
    assert client.get_run(run.run_id).data.tags["mlflow.note.content"].startswith(living.GONE)
    assert {name: child.info.status for name, child in children(run.run_id).items()} == {
        "n_estimators=1": "FINISHED",
        "n_estimators=2": "KILLED",
    }
    assert list(cache.iterdir()) == []


def test_what_another_thread_began_under_a_run_that_was_given_up_is_ended_by_the_next(client):
    run = begun()
    held = run._alive
    run.abandon("interrupted.")
    late = client.create_run(run.experiment_id, tags={"mlflow.parentRunId": run.run_id})
    os.close(held._descriptor)  # the process ends
    assert EntryRun.begin("next").end_abandoned() == [run.run_id]
    assert status(client, late.info.run_id) == status(client, run.run_id) == "KILLED"
    assert client.get_run(run.run_id).data.tags["mlflow.note.content"] == "interrupted."


def test_a_step_that_was_made_beside_a_sweep_is_ended_too(client):
    run = begun()
    step = run.sibling("featurize")
    killed(step)
    killed(run)
    assert set(EntryRun.begin("next").end_abandoned()) == {run.run_id, step.run_id}
    assert status(client, step.run_id) == "KILLED"


def test_a_run_that_mlflow_made_is_held_once_with_its_steps_and_let_go_of(client, cache, monkeypatch):
    made = client.create_run(os.environ["MLFLOW_EXPERIMENT_ID"]).info.run_id
    monkeypatch.setenv("MLFLOW_RUN_ID", made)
    run = begun()
    step = run.sibling("featurize")
    assert {path.name for path in cache.iterdir()} == {made, step.run_id}
    step.finish()
    run.finish()
    assert list(cache.iterdir()) == []


def test_what_the_living_work_on_is_left_alone(client):
    run = begun()
    assert EntryRun.begin("next").end_abandoned() == []
    assert status(client, run.run_id) == "RUNNING"
    run.finish()


def test_a_run_that_has_ended_leaves_nothing_behind(client, cache):
    run = begun()
    run.finish()
    assert list(cache.iterdir()) == []


def test_an_ended_status_stays(client):
    run = begun()
    client.set_terminated(run.run_id, "FAILED")  # as `mlflow run` does when it sees the exit code
    killed(run)
    assert EntryRun.begin("next").end_abandoned() == [run.run_id]
    assert status(client, run.run_id) == "FAILED"


def test_runs_of_another_store_wait_for_a_command_there(client, cache, tmp_path, monkeypatch):
    run = begun()
    killed(run)
    with monkeypatch.context() as patched:
        patched.setattr(living, "get_tracking_uri", lambda: "http://elsewhere")
        assert living.end_abandoned(client) == []
    assert living.end_abandoned(client) == [run.run_id]


def test_what_the_store_refuses_is_tried_again_and_what_it_has_forgotten_is_not(client, cache, monkeypatch):
    run, deleted = begun(), begun()
    killed(run)
    killed(deleted)
    (cache / "notes").write_text("not ours")
    record = cache / deleted.run_id
    record.write_text(record.read_text().replace(deleted.run_id, "0" * 32, 1))

    def refuse(*given, **named):
        raise MlflowException("no")

    with monkeypatch.context() as patched:
        patched.setattr(MlflowClient, "set_terminated", refuse)
        assert run.run_id not in living.end_abandoned(client)
    assert living.end_abandoned(client) == [run.run_id]
    assert [path.name for path in cache.iterdir()] == ["notes"]


def test_a_cache_that_cannot_be_written_costs_that_alone(client, tmp_path):
    (tmp_path / "cache").write_text("a file")
    run = begun()
    assert run.end_abandoned() == []
    run.finish()
    assert status(client, run.run_id) == "FINISHED"


def swept(end, fingerprint="asked"):
    """A run of the sweep that has come as far as its fits."""
    run = EntryRun.begin("sweep")
    run.set_tags({FINGERPRINT: fingerprint, JOURNAL: "family"})
    end(run)
    return run


@pytest.mark.parametrize("end", [lambda run: run.kill(), lambda run: run.fail("broke")])
def test_a_sweep_that_was_broken_off_and_the_one_that_goes_on_name_each_other(client, end):
    swept(lambda run: run.finish())
    broken = swept(end)
    swept(lambda run: run.kill(), fingerprint="another")
    swept(lambda run: None)  # at work elsewhere: not known to be broken off
    run = swept(lambda run: None)
    assert continue_earlier(run) == broken.run_id
    assert client.get_run(broken.run_id).data.tags[CONTINUED_BY] == run.run_id
    assert client.get_run(run.run_id).data.tags[CONTINUES] == broken.run_id
    assert continue_earlier(swept(lambda run: None)) is None


def test_a_sweep_that_was_done_is_not_continued(client):
    swept(lambda run: run.kill())
    swept(lambda run: run.finish())
    assert continue_earlier(swept(lambda run: None)) is None


def test_a_sweep_that_failed_before_its_fits_is_not_continued(client):
    run = EntryRun.begin("sweep")
    run.set_tags({FINGERPRINT: "asked"})
    run.fail("a spec that is wrong")
    assert continue_earlier(swept(lambda run: None)) is None
