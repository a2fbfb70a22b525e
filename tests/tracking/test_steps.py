"""Finished steps are found again by fingerprint, and fetched whole or not at all."""

from __future__ import annotations

import shutil

import pytest

from tracking import EntryRun, steps


def made(name: str, fingerprint: str) -> str:
    """Run a step as its own entry point does."""
    with EntryRun.begin(name) as run:
        steps.mark(run, name, fingerprint)
        run.log_text("rows", "features/rows.csv")
    return run.run_id


def test_the_newest_finished_run_of_a_step_is_found(client):
    made("featurize", "aaaa")
    newest = made("featurize", "aaaa")
    run = EntryRun.begin("sweep")
    assert steps.find(run, "featurize", "aaaa") == newest


@pytest.mark.parametrize(("name", "fingerprint"), [("featurize", "bbbb"), ("ingest", "aaaa")])
def test_another_step_or_fingerprint_is_not(client, name, fingerprint):
    made("featurize", "aaaa")
    assert steps.find(EntryRun.begin("sweep"), name, fingerprint) is None


def test_a_step_that_failed_or_still_runs_is_not_found(client):
    run = EntryRun.begin("featurize")
    steps.mark(run, "featurize", "aaaa")
    assert steps.find(run, "featurize", "aaaa") is None
    run.fail("disk full")
    assert steps.find(run, "featurize", "aaaa") is None


def test_its_folder_is_fetched_and_the_sweep_says_whose_it_is(client, tmp_path):
    step_id = made("featurize", "aaaa")
    destination = tmp_path / "cache"
    destination.mkdir()
    with EntryRun.begin("sweep") as run:
        assert steps.fetch(run, step_id, "features", destination)
    assert [(file.name, file.read_text()) for file in destination.iterdir()] == [("rows.csv", "rows")]
    assert client.get_run(run.run_id).data.tags["uses.featurize"] == step_id


def test_artifacts_that_are_gone_are_a_miss(client, tmp_path):
    step_id = made("featurize", "aaaa")
    shutil.rmtree(tmp_path / "artifacts" / step_id)
    destination = tmp_path / "cache"
    destination.mkdir()
    assert not steps.fetch(EntryRun.begin("sweep"), step_id, "features", destination)
    assert list(destination.iterdir()) == []


def test_a_step_made_for_a_sweep_stands_beside_it(client):
    with EntryRun.begin("sweep") as run, steps.made_for(run, "ingest", "cccc") as step:
        pass
    made_run = client.get_run(step.run_id)
    assert made_run.info.status == "FINISHED"
    assert "mlflow.parentRunId" not in made_run.data.tags
    assert client.get_run(run.run_id).data.tags["uses.ingest"] == step.run_id
    assert steps.find(run, "ingest", "cccc") == step.run_id


def test_a_step_made_for_a_sweep_lasts_as_long_as_its_work(client):
    with EntryRun.begin("sweep") as run, steps.made_for(run, "ingest", "cccc", worked=90) as step:
        pass
    info = client.get_run(step.run_id).info
    assert 90_000 <= info.end_time - info.start_time < 100_000


def test_a_step_that_breaks_off_is_never_found(client):
    def break_off(run: EntryRun) -> None:
        with steps.made_for(run, "ingest", "cccc"):
            raise OSError("disk full")

    run = EntryRun.begin("sweep")
    with pytest.raises(OSError, match="disk full"):
        break_off(run)
    assert steps.find(run, "ingest", "cccc") is None


def test_features_travel_over_a_server(server_client, tmp_path):
    step_id = made("featurize", "dddd")
    run = EntryRun.begin("sweep")
    found = steps.find(run, "featurize", "dddd")
    assert found == step_id
    assert steps.fetch(run, found, "features", tmp_path)
    assert (tmp_path / "rows.csv").read_text() == "rows"
