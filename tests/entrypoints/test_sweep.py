"""A sweep as its user meets it: what is printed, what is recorded, and one line for whatever is wrong."""

import errno
import json
import os
import re
import zipfile

import mlflow.pyfunc
import numpy as np
import pandas as pd
import pytest
import yaml

import entrypoints.sweep as module
from entrypoints.sweep import sweep
from tests.entrypoints.conftest import SMALL, SPACE


@pytest.fixture
def swept(workplace, capsys):
    """A sweep that has ended well: its workplace and what it printed."""
    assert sweep([*SMALL, "--space", workplace.space]) == 0
    return workplace, capsys.readouterr()


def test_a_sweep_closes_with_the_winner_its_scores_its_model_and_where_to_look(swept):
    workplace, printed = swept
    run = workplace.newest_sweep()
    lines = dict(line.split(maxsplit=1) for line in printed.out.splitlines())
    params = {name: run.data.params[name] for name in ("max_depth", "n_estimators")}
    metrics = run.data.metrics
    assert re.fullmatch(rf"#\d n_estimators={params['n_estimators']} max_depth={params['max_depth']}", lines["best"])
    assert re.fullmatch(rf"neg_log_loss {metrics['neg_log_loss']:.5f} ± 0\.\d{{5}} over 2 folds", lines["score"])
    assert lines["hold-out"] == f"neg_log_loss {metrics['holdout_neg_log_loss']:.5f}"
    assert lines["model"] == "demographics version 1, alias challenger"
    page = f"/#/experiments/{workplace.experiment}/runs/{run.info.run_id}?workflowType=machine_learning"
    assert lines["look"] == f"mlflow ui --backend-store-uri sqlite:///{workplace.folder}/mlflow.db"
    assert lines["run"].endswith(page)
    assert [line.split()[0] for line in printed.out.splitlines()[:4]] == ["look", "charts", "run", "tables"]
    assert lines["charts"].endswith(f"&compareRunsMode=CHART&viewStateShareKey={run.info.run_id[:8]}")
    assert lines["next"].endswith("-e score -P model=models:/demographics@challenger")
    assert "sweep: 8/8 fits, 4/4 candidates" in printed.err


def test_the_run_holds_what_was_asked_and_every_candidate_is_a_child(swept):
    workplace, _ = swept
    run = workplace.newest_sweep()
    assert run.info.status == "FINISHED"
    assert run.data.params["strategy"] == "grid"
    assert run.data.params["data"] == "synthetic"
    assert run.data.tags["sweep.features"] == workplace.runs("featurize")[0].data.tags["step.fingerprint"]
    assert (run.data.metrics["candidates"], run.data.metrics["fits"], run.data.metrics["failed"]) == (4, 8, 0)
    children = workplace.children(run.info.run_id)
    assert {child.info.run_name for child in children} == {
        "#1 n_estimators=2 max_depth=1",
        "#2 n_estimators=3 max_depth=1",
        "#3 n_estimators=2 max_depth=2",
        "#4 n_estimators=3 max_depth=2",
    }
    artifacts = {artifact.path for artifact in workplace.client.list_artifacts(run.info.run_id)}
    assert artifacts >= {"sweeping_results.txt", "cv_results.csv", "space.yaml"}
    assert {entry.tags[0].value for entry in run.inputs.dataset_inputs} == {"training", "holdout"}


def test_the_registered_challenger_predicts_the_groups_of_the_holdout_as_well_as_the_run_says(swept):
    workplace, _ = swept
    version = workplace.client.get_model_version_by_alias("demographics", "challenger")
    assert version.run_id == workplace.newest_sweep().info.run_id
    [features], [tables] = (list((workplace.folder / "cache" / kind).iterdir()) for kind in ("features", "tables"))
    rows = pd.read_parquet(features / "rows.parquet")
    held = rows[rows["split"] == "holdout"]
    phones = pd.read_parquet(tables / "phone_brand_device_model.parquet").drop_duplicates("device_id")
    sent = held[["device_id"]].merge(phones, on="device_id", how="left").drop(columns="device_id")
    events = pd.read_parquet(tables / "events.parquet").drop_duplicates("event_id")
    times = events["timestamp"].astype(str).groupby(events["device_id"]).agg(list)
    sent["events"] = [[{"timestamp": time} for time in times.get(device, [])] for device in held["device_id"]]
    predicted = mlflow.pyfunc.load_model("models:/demographics@challenger").predict(sent)
    own = predicted.to_numpy()[np.arange(len(held)), predicted.columns.get_indexer(held["label"])]
    assert np.log(own).mean() == pytest.approx(workplace.newest_sweep().data.metrics["holdout_neg_log_loss"], abs=1e-6)


def test_a_second_sweep_is_a_second_version_and_takes_the_alias_over(swept):
    workplace, _ = swept
    assert sweep([*SMALL, "--space", workplace.space]) == 0
    assert workplace.client.get_model_version_by_alias("demographics", "challenger").version == 2


def test_without_a_holdout_the_score_on_it_is_none(workplace, capsys):
    assert sweep([*SMALL, "--space", workplace.space, "--holdout", "0"]) == 0
    assert "\nhold-out none\n" in capsys.readouterr().out
    assert "holdout_neg_log_loss" not in workplace.newest_sweep().data.metrics


# --- what is wrong is said in one line, on the terminal and on the run ------------------------------------------------


def fails_with(workplace, capsys, arguments: list[str]) -> str:
    """Run a sweep that must fail; return its line after checking that it is one, and the run's note as well."""
    capsys.readouterr()
    assert sweep(arguments) == 1
    printed = capsys.readouterr()
    line = printed.err.splitlines()[-1]
    assert "Traceback" not in printed.err
    newest = workplace.newest_sweep()
    assert newest.info.status == "FAILED"
    assert newest.data.tags["mlflow.note.content"] == line
    return line


def spec_with(workplace, **changes) -> list[str]:
    """Arguments of a sweep whose spec has these keys changed; None removes a key."""
    spec = yaml.safe_load(SPACE) | changes
    path = workplace.folder / "space.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in spec.items() if value is not None}))
    return [*SMALL, "--space", str(path)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--feature_set", "all"], "-P feature_set=all: there is no parameter 'feature_set'. Did you mean"),
        (["--holdout", "half"], "-P holdout=half: expected a share"),
        (["--data", "nowhere"], "data: 'nowhere' is neither a known source nor a folder"),
        (["--data", "syntetic"], "Did you mean 'synthetic'?"),
        (["--engine", "lokal"], "engine: there is no engine 'lokal'. Did you mean 'local'?"),
        (["--feature_sets", "brand_modell"], "there is no feature set 'brand_modell'"),
        (["--model_name", "a/b"], "model_name 'a/b' is no name for a registered model"),
        (["--holdout", "0.01"], "holdout: at 0.01 of"),
        (["--space", "spaces/none.yaml"], "spaces/none.yaml: no such file."),
    ],
)
def test_a_wrong_parameter_is_one_line(workplace, capsys, arguments, said):
    assert said in fails_with(workplace, capsys, [*SMALL, "--space", workplace.space, *arguments])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"grids": {}}, "grids: unknown key. Did you mean 'grid'?"),
        ({"estimator": "xgboost.XGBClasifier"}, "estimator: xgboost has no class 'XGBClasifier'."),
        ({"grid": {"n_estimator": [2]}}, "grid.n_estimator: XGBClassifier has no parameter 'n_estimator'."),
        ({"grid": {"n_estimators": []}}, "grid.n_estimators: the list is empty."),
        ({"scoring": "neg_logloss"}, "scoring: scikit-learn has no scorer 'neg_logloss'."),
        ({"cv": {"folds": "five"}}, "cv.folds: should be a whole number, got 'five'."),
        ({"grid": None}, "grid: the key is missing."),
    ],
)
def test_a_wrong_spec_is_one_line_that_names_the_file(workplace, capsys, changes, said):
    line = fails_with(workplace, capsys, spec_with(workplace, **changes))
    assert line.startswith(f"{workplace.folder / 'space.yaml'}: {said}")


def test_a_spec_that_does_not_fit_the_data_is_one_line_that_names_file_and_key(workplace, capsys):
    line = fails_with(workplace, capsys, spec_with(workplace, cv={"folds": 500}))
    assert re.fullmatch(
        r"\S+/space\.yaml: cv\.folds: 500 folds, but class .* has only \d+ training rows\. Use at most \d+ .*", line
    )


def test_candidates_that_all_fail_are_one_line_with_the_commonest_error(workplace, capsys):
    line = fails_with(workplace, capsys, spec_with(workplace, grid={"tree_method": ["nonsense"]}))
    assert "all 1 candidates failed" in line


def test_data_that_are_broken_are_one_line(workplace, capsys, synthetic_folder):
    data = workplace.folder / "data"
    data.mkdir()
    for source in synthetic_folder.iterdir():
        os.link(source, data / source.name)
    arguments = ["--data", str(data), "--feature_sets", "brand_model", "--space", workplace.space]

    events = (data / "events.csv").read_text()
    (data / "events.csv").unlink()
    assert "events" in fails_with(workplace, capsys, arguments)
    (data / "events.csv").write_text(events.replace("timestamp", "time", 1))
    assert "timestamp" in fails_with(workplace, capsys, arguments)
    (data / "events.csv").unlink()
    with zipfile.ZipFile(data / "events.csv.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("events.csv", events)
    whole = (data / "events.csv.zip").read_bytes()
    (data / "events.csv.zip").write_bytes(whole[: len(whole) // 2])
    assert "events.csv.zip" in fails_with(workplace, capsys, arguments)
    assert not list((workplace.folder / "cache").glob("tables/*"))


def test_a_cache_that_cannot_be_written_is_one_line(workplace, capsys, monkeypatch):
    (workplace.folder / "file").write_text("")
    monkeypatch.setenv("SWEEP_CACHE", "/proc/no-folder")
    line = fails_with(workplace, capsys, [*SMALL, "--space", workplace.space])
    assert "/proc/no-folder" in line


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "out of memory"),
        (OSError(errno.ENOSPC, "No space left on device", "/tmp/x"), "/tmp/x: the disk is full"),
        (RuntimeError("unheard of\nat all"), "a defect in gridfold (RuntimeError: unheard of at all)."),
    ],
)
def test_what_nobody_foresaw_is_one_line_too(workplace, capsys, monkeypatch, error, said):
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(module, "rows_for", broken)
    assert said in fails_with(workplace, capsys, ["--space", workplace.space])


def test_debug_shows_the_traceback_above_the_line(workplace, capsys):
    assert sweep(["--data", "nowhere", "--space", workplace.space, "--debug", "true"]) == 1
    printed = capsys.readouterr().err
    assert "Traceback (most recent call last)" in printed
    assert printed.splitlines()[-1].startswith("data: 'nowhere'")


def test_a_tracking_server_that_does_not_answer_is_one_line(workplace, capsys, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    assert sweep(["--space", workplace.space]) == 1
    waits, line = capsys.readouterr().err.splitlines()
    assert "does not answer" in waits
    assert "MLFLOW_TRACKING_URI" in line


def test_the_secret_in_a_tracking_uri_is_not_printed(workplace, capsys, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:verysecret@127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    assert sweep(["--space", workplace.space]) == 1
    assert "verysecret" not in json.dumps(capsys.readouterr())


def test_a_name_that_is_a_prompts_is_refused_before_the_first_fit(workplace, capsys):
    workplace.client.register_prompt("greeting", "Hello {{who}}")
    line = fails_with(workplace, capsys, [*SMALL, "--space", workplace.space, "--model_name", "greeting"])
    assert line == "'greeting' is the name of a prompt there. Choose another: -P model_name=NAME."
    assert workplace.children(workplace.newest_sweep().info.run_id) == []


def test_a_run_of_another_command_is_not_taken_for_this_one(workplace, capsys, monkeypatch):
    theirs = workplace.client.create_run(workplace.experiment)
    workplace.client.log_param(theirs.info.run_id, "scale", "0.05")
    workplace.client.set_terminated(theirs.info.run_id)
    monkeypatch.setenv("MLFLOW_RUN_ID", theirs.info.run_id)
    assert sweep([*SMALL, "--space", workplace.space]) == 1
    said = capsys.readouterr().err
    assert "is of another command: scale is '0.05' there and '0.005' here." in said
    found = workplace.client.get_run(theirs.info.run_id)
    assert (found.info.status, found.data.params) == ("FINISHED", {"scale": "0.05"})
    assert "mlflow.note.content" not in found.data.tags
