"""Sweeps side by side: paired where their folds agree, said where they do not, and one line for what is no sweep."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from mlflow import MlflowClient

from entrypoints.compare import compare
from entrypoints.sweep import sweep
from entrypoints.terminal.results import show_row
from tests.entrypoints.conftest import Workplace
from tests.entrypoints.terminals import LOUD, console_for
from tests.services.browser import complaints, resize, violations
from tuning.results.statistics import paired_difference

SPEC = {
    "estimator": "xgboost.XGBClassifier",
    "fixed": {"random_state": 0, "n_estimators": 3},
    "scoring": "neg_log_loss",
    "cv": {"folds": 3, "seed": 0},
}


@pytest.fixture(scope="module")
def place(tmp_path_factory, empty_store):
    """Three sweeps: A; B over other columns of the same rows, with another grid; C over other folds."""
    folder = tmp_path_factory.mktemp("compared")
    shutil.copy(empty_store, folder / "mlflow.db")
    uri = f"sqlite:///{folder}/mlflow.db"
    client = MlflowClient(uri)
    experiment = client.create_experiment("test", artifact_location=str(folder / "artifacts"))
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        for name, value in (("URI", uri), ("EXPERIMENT_NAME", "test")):
            patched.setenv(f"MLFLOW_{'TRACKING_' if name == 'URI' else ''}{name}", value)
        patched.setenv("SWEEP_CACHE", str(folder / "cache"))
        for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID"):
            patched.delenv(name, raising=False)
        draw = np.random.default_rng(0)
        frame = pd.DataFrame(draw.normal(size=(120, 3)), columns=["a", "b", "<b>c"])
        frame["y"] = np.where(frame["a"] + frame["b"] + draw.normal(size=120) > 0, "yes", "no")
        frame["z"] = np.where(frame["b"] > 0, "up", "down")
        frame.drop(columns="z").to_csv("mine.csv", index=False)
        frame.drop(columns=["b", "z"]).to_csv("fewer.csv", index=False)
        frame.drop(columns="y").to_csv("other.csv", index=False)
        yield Workplace(folder, client, experiment)


def swept(place, features="mine.csv", target="y", **changes) -> str:
    Path("space.yaml").write_text(yaml.safe_dump(SPEC | changes))
    arguments = {"features": features, "target": target, "space": "space.yaml", "holdout": "0"}
    assert sweep([f"--{name}={value}" for name, value in arguments.items()]) == 0
    return place.newest_sweep().info.run_id


@pytest.fixture(scope="module")
def runs(place):
    return {
        "A": swept(place, grid={"max_depth": [1, 2]}),
        "B": swept(place, "fewer.csv", grid={"max_depth": [2, 3]}),
        "C": swept(place, grid={"max_depth": [1]}, cv={"folds": 3, "seed": 1}),
    }


def compared(place, capsys, *ids) -> tuple[list[str], str, object]:
    """What is printed, the page, and the run."""
    capsys.readouterr()
    assert compare([f"--runs={','.join(ids)}"]) == 0
    run = place.client.search_runs([place.experiment], "tags.`gridfold.kind` = 'comparison'")[0]
    page = place.client.download_artifacts(run.info.run_id, "compare.html", str(place.folder))
    return capsys.readouterr().out.splitlines(), Path(page).read_text(), run


def splits(place, run_id) -> np.ndarray:
    table = pd.read_csv(place.client.download_artifacts(run_id, "cv_results.csv", str(place.folder)))
    return table.sort_values("rank_test_score").filter(regex="^split").to_numpy()[0]


def test_sweeps_over_the_same_folds_are_paired_and_others_are_not(place, runs, capsys):
    lines, page, run = compared(place, capsys, *runs.values())
    best, other = splits(place, runs["A"]), splits(place, runs["B"])
    behind = paired_difference(best.tolist(), other.tolist(), 0.5)
    said = f"{behind.mean:.5f} behind ({behind.low:.5f} to {behind.high:.5f})"
    assert sum(said in line for line in lines) == 1
    assert said in page
    assert "no difference to A is given: its folds are not those of A" in "\n".join(lines)
    assert run.data.tags["compared.B"] == runs["B"]
    assert run.info.status == "FINISHED"


def test_overlap_and_differences_are_told(place, runs, capsys):
    lines, page, _ = compared(place, capsys, runs["A"], runs["B"])
    text = "\n".join(lines)
    apart = re.search(r"shared   A and B: 1 candidate in both, their scores at most ([\d.]+) apart", text)
    assert float(apart[1]) > 0, "other columns, other scores"
    assert "spec     grid.max_depth: A [1, 2], B [2, 3]" in lines
    assert "data     features: A mine.csv, B fewer.csv" in lines
    assert "cv.seed" not in text
    assert "numpy" not in text, "the versions are the same"
    assert "xgboost" in json.loads(place.client.get_run(runs["A"]).data.tags["sweep.versions"])
    for words in ("grid.max_depth", "fewer.csv", "fingerprint"):
        assert words in page


def test_nothing_that_is_printed_wraps_at_80_columns(place, runs, capsys, monkeypatch):
    console, lines = console_for(80)
    for name, value in LOUD.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("entrypoints.compare.show_row", lambda label, text: show_row(label, text, console))
    compared(place, capsys, *runs.values())
    assert len(lines()) > 8
    assert all(line[:1] != " " or line.startswith("         ") for line in lines())
    assert max(map(len, lines())) <= 80


def test_the_page_asks_no_network_and_escapes_what_people_write(place, runs, capsys):
    renamed = "<script>hit</script>"
    place.client.set_tag(runs["C"], "mlflow.runName", renamed)
    _, page, _ = compared(place, capsys, runs["A"], runs["C"])
    assert renamed not in page
    assert "&lt;script&gt;" in page
    assert "default-src 'none'" in page
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", page)


def test_the_page_reads_on_a_phone_and_by_those_who_cannot_see_it(place, runs, capsys, browser):
    _, page, _ = compared(place, capsys, *runs.values())
    Path("compare.html").write_text(page)
    resize(browser, 360, 800)
    browser.get(Path("compare.html").absolute().as_uri())
    assert violations(browser) == []
    assert complaints(browser) == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 360


def fails(place, capsys, listed) -> str:
    capsys.readouterr()
    assert compare([f"--runs={listed}"]) == 1
    printed = capsys.readouterr()
    [line] = printed.err.splitlines()
    newest = place.client.search_runs([place.experiment])[0]
    assert (printed.out, newest.info.status, newest.data.tags["mlflow.note.content"]) == ("", "FAILED", line)
    return line


def test_what_cannot_be_compared_is_one_line(place, runs, capsys):
    client, a = place.client, runs["A"]
    child = next(iter(place.children(a))).info.run_id
    plain = client.create_run(place.experiment, run_name="mine").info.run_id
    going_on = client.create_run(
        place.experiment, tags={"sweep.fingerprint": "0", "gridfold.kind": "sweep"}
    ).info.run_id
    broken = client.create_run(place.experiment, tags={"sweep.fingerprint": "0", "gridfold.kind": "sweep"}).info.run_id
    client.set_terminated(broken, "FAILED")
    plan = client.create_run(place.experiment, tags={"sweep.fingerprint": "0", "gridfold.kind": "plan"}).info.run_id
    deleted = client.create_run(place.experiment, tags={"sweep.fingerprint": "0", "gridfold.kind": "sweep"}).info.run_id
    client.delete_run(deleted)
    said = {
        "": "0 runs have no place here. Name two to 26 finished sweeps",
        a: "one run alone has no place here",
        f"{a},{a}": f"{a} is there twice",
        f"{a},0123": "there is no run 0123 in this store",
        f"{a},{child}": f"{child} is a candidate. Name the sweep that it belongs to, {a}",
        f"{a},{plain}": f"{plain} (mine) is no sweep",
        f"{a},{going_on}": f"the sweep {going_on} is still going on",
        f"{a},{broken}": f"the sweep {broken} ended FAILED without a table",
        f"{a},{plan}": "is the plan of a sweep",
        f"{a},{deleted}": f"{deleted} was deleted. Bring it back",
    }
    for listed, words in said.items():
        assert words in fails(place, capsys, listed)


def test_sweeps_of_other_targets_are_refused(place, runs, capsys):
    other = swept(place, "other.csv", "z", grid={"max_depth": [1]})
    line = fails(place, capsys, f"{runs['A']},{other}")
    assert f"{runs['A']} predicts 'y' of the labels" in line
    assert f"{other} predicts 'z' of the labels" in line


def test_a_sweep_that_does_not_say_its_folds_is_listed_and_not_paired(place, runs, capsys):
    for name in ("sweep.folds", "sweep.target", "sweep.versions", "sweep.scorer"):
        place.client.delete_tag(runs["C"], name)
    place.client.set_tag(runs["C"], "sweep.target", "y")
    lines, _, _ = compared(place, capsys, runs["A"], runs["C"])
    assert any("no difference to A is given: the run of B does not say which folds it had" in line for line in lines)
