"""The run of an entry point: attached or made, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from errors import SourceError, TrackingError
from tracking import EntryRun, InputTable
from tracking.links import links_of


@pytest.fixture
def launched(client, monkeypatch):
    """A run as ``mlflow run`` makes it: with every MLproject parameter on it, and named by the environment."""
    run = client.create_run(client.get_experiment_by_name("tests").experiment_id)
    client.log_param(run.info.run_id, "max_depth", "")
    client.log_param(run.info.run_id, "holdout", "0.10")
    monkeypatch.setenv("MLFLOW_RUN_ID", run.info.run_id)
    return run


def test_it_attaches_to_the_run_that_mlflow_run_made(client, launched):
    with EntryRun.begin("sweep") as run:
        assert run.run_id == launched.info.run_id
    assert client.get_run(run.run_id).info.status == "FINISHED"


@pytest.mark.parametrize(("drawn", "name"), [("kindly-midge-434", "sweep"), ("my own name", "my own name")])
def test_a_name_that_nobody_gave_is_replaced(client, launched, drawn, name):
    client.set_tag(launched.info.run_id, "mlflow.runName", drawn)
    run = EntryRun.begin("sweep")
    assert client.get_run(run.run_id).info.run_name == name


def test_what_a_run_shows_has_no_secrets_whoever_wrote_it(client, launched):
    client.set_tag(launched.info.run_id, "mlflow.source.name", "https://hunter2@github.com/me/project")
    run = EntryRun.begin("sweep")
    run.log_params({"data": "https://me:hunter2@host/"})
    run.log_datasets([InputTable("mine", "abc", "https://host/x?token=hunter2", 1)])
    run.fail("nothing at https://host/?password=hunter2 to read")
    found = client.get_run(run.run_id)
    assert "hunter2" not in json.dumps([found.to_dictionary(), run.inherited_tags()])
    assert found.data.tags["mlflow.source.name"] == "https://…@github.com/me/project"
    assert found.data.tags["mlflow.note.content"] == "nothing at https://host/?password=… to read"


def test_a_run_that_had_ended_runs_again(client, launched):
    client.set_terminated(launched.info.run_id, "FAILED")
    run = EntryRun.begin("sweep")
    assert client.get_run(run.run_id).info.status == "RUNNING"


def test_an_unknown_run_is_refused_in_one_line_that_says_where_it_was_sought(client, monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_RUN_ID", "0" * 32)
    with pytest.raises(TrackingError, match=f"names the run 0{{32}}, which sqlite:///{tmp_path}/mlflow.db") as refused:
        EntryRun.begin("sweep")
    assert "\n" not in str(refused.value)


def test_started_by_hand_it_makes_a_run_of_its_own(client):
    with EntryRun.begin("featurize") as run:
        pass
    made = client.get_run(run.run_id)
    assert made.info.run_name == "featurize"
    assert made.info.experiment_id == client.get_experiment_by_name("tests").experiment_id
    assert made.data.tags["mlflow.user"]


def test_the_experiment_may_be_named_and_is_made_where_it_does_not_exist(client, monkeypatch):
    monkeypatch.delenv("MLFLOW_EXPERIMENT_ID")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "brand new")
    run = EntryRun.begin("sweep")
    assert client.get_experiment(run.experiment_id).name == "brand new"


def test_params_that_the_run_already_holds_are_left_alone(client, launched):
    with EntryRun.begin("sweep") as run:
        run.log_params({"holdout": 0.1, "engine": "local"})
    assert client.get_run(run.run_id).data.params == {"max_depth": "", "holdout": "0.10", "engine": "local"}


def test_the_winners_params_take_another_name_only_where_theirs_is_taken(client, launched):
    with EntryRun.begin("sweep") as run:
        run.log_best_params({"max_depth": 3, "n_estimators": 400})
    params = client.get_run(run.run_id).data.params
    assert (params["best_max_depth"], params["max_depth"], params["n_estimators"]) == ("3", "", "400")


def test_a_param_too_long_for_mlflow_is_cut_and_still_tells_itself_from_another(client):
    with EntryRun.begin("sweep") as run:
        run.log_params({"a": "x" * 7000, "b": "x" * 6999 + "y"})
    params = client.get_run(run.run_id).data.params
    assert len(params["a"]) == 6000
    assert params["a"] != params["b"]


@pytest.mark.parametrize(
    ("error", "status", "note"),
    [
        (SourceError("events.csv: line 4: bad"), "FAILED", "events.csv: line 4: bad"),
        (ZeroDivisionError("division by zero\nmore"), "FAILED", "ZeroDivisionError: division by zero"),
        (KeyboardInterrupt(), "KILLED", "Interrupted."),
    ],
)
def test_a_block_that_breaks_off_ends_the_run_with_the_reason_as_its_note(client, error, status, note):
    def break_off(run: EntryRun) -> None:
        with run:
            raise error

    run = EntryRun.begin("sweep")
    with pytest.raises(type(error)):
        break_off(run)
    ended = client.get_run(run.run_id)
    assert (ended.info.status, ended.data.tags["mlflow.note.content"]) == (status, note)


def test_the_first_end_counts(client):
    with EntryRun.begin("sweep") as run:
        run.fail("no such space")
    assert client.get_run(run.run_id).info.status == "FAILED"


def test_tables_are_dataset_inputs(client):
    table = InputTable(
        "events", "ab" * 32, "wasbs://d@a.blob.core.windows.net/", 7, {"event_id": "Int64", "when": "Datetime"}
    )
    with EntryRun.begin("ingest") as run:
        run.log_datasets([table])
    (given,) = client.get_run(run.run_id).inputs.dataset_inputs
    assert (given.dataset.name, given.dataset.source_type) == ("events", "wasbs")
    assert given.dataset.digest == ("ab" * 18)
    types = {column["name"]: column["type"] for column in json.loads(given.dataset.schema)["mlflow_colspec"]}
    assert types == {"event_id": "long", "when": "datetime"}
    assert json.loads(given.dataset.profile) == {"num_rows": 7}


def test_files_and_folders_are_artifacts(client, tmp_path):
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "rows.csv").write_text("1")
    with EntryRun.begin("sweep") as run:
        run.log_folder(tmp_path / "features", "features")
        run.log_file(tmp_path / "features" / "rows.csv")
        run.log_text("hello", "words/hello.txt")
    assert [item.path for item in client.list_artifacts(run.run_id, "features")] == ["features/rows.csv"]
    assert {item.path for item in client.list_artifacts(run.run_id)} == {"features", "rows.csv", "words"}


def test_an_artifact_store_that_cannot_be_written_is_one_line(client, tmp_path):
    (tmp_path / "artifacts").write_text("a file where the folder should be")
    run = EntryRun.begin("sweep")
    with pytest.raises(TrackingError, match=r"^MLflow refused to store words\.txt: ") as refused:
        run.log_text("hello", "words.txt")
    assert "\n" not in str(refused.value)


def test_it_says_what_opens_the_ui(client, tmp_path):
    run = EntryRun.begin("sweep")
    links = links_of(run, "0123")
    runs = f"http://127.0.0.1:5000/#/experiments/{run.experiment_id}/runs"
    assert links.server == f"mlflow ui --backend-store-uri sqlite:///{tmp_path}/mlflow.db"
    assert links.run == f"{runs}/{run.run_id}?workflowType=machine_learning"
    assert links.report == f"{runs}/{run.run_id}/artifacts/report.html?workflowType=machine_learning"
    assert links.charts == f"{runs}?workflowType=machine_learning&compareRunsMode=CHART&viewStateShareKey=0123"


def test_a_server_is_looked_at_where_it_is(server_client, server):
    with EntryRun.begin("sweep") as run:
        run.log_text("hello", "hello.txt")
    links = links_of(run)
    assert links.run == f"{server}/#/experiments/{run.experiment_id}/runs/{run.run_id}?workflowType=machine_learning"
    assert (links.server, links.charts) == ("", "")
    assert Path(server_client.download_artifacts(run.run_id, "hello.txt")).read_text() == "hello"
