"""Whatever fails after the last fit, the sweep's result stays, and one line says what is missing and how to get it."""

import shutil
from pathlib import Path

import mlflow.pyfunc
import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from entrypoints.sweep import sweep

ROWS, HELD = 100, 20
TABLES = {"sweeping_results.txt", "cv_results.csv"}


@pytest.fixture(autouse=True)
def table(workplace):
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(draw.normal(size=(ROWS, 2)), columns=["a", "b"])
    frame["y"] = np.where(frame["a"] + draw.normal(size=ROWS) > 0, "yes", "no")
    frame.to_csv("mine.csv", index=False)
    shutil.copy(Path(__file__).with_name("fragile.py"), "fragile.py")  # a module of the user's own, beside the spec
    return frame


def swept(kind: str, rows: int = 0, scoring: object = "neg_log_loss", **params: str) -> int:
    """Sweep the table with an estimator that `rows` set off; return the exit code."""
    spec = {
        "estimator": f"fragile.{kind}",
        "fixed": {"rows": rows},
        "grid": {"C": [0.1, 10.0]},
        "scoring": scoring,
        "cv": {"folds": 2, "seed": 0},
    }
    refit = {"refit": scoring[0]} if isinstance(scoring, list) else {}
    Path("space.yaml").write_text(yaml.safe_dump(spec | refit))
    given = {"features": "mine.csv", "target": "y", "holdout": str(HELD / ROWS), "space": "space.yaml"} | params
    return sweep([f"--{name}={value}" for name, value in given.items()])


def test_the_table_is_on_disk_too(workplace):
    assert swept("FailsToFit", rows=ROWS) == 0
    run = workplace.newest_sweep()
    folder = workplace.folder / "cache" / "results" / run.info.run_id
    assert {path.name for path in folder.iterdir()} == TABLES
    kept = workplace.client.download_artifacts(run.info.run_id, "cv_results.csv", str(workplace.folder))
    assert (folder / "cv_results.csv").read_text() == Path(kept).read_text()


def closes_with(workplace, capsys, **asked: object) -> tuple[str, object]:
    """Sweep; return its last line and the run, after checking that nothing of the sweep's own result is lost."""
    capsys.readouterr()
    assert swept(**asked) == 1
    printed = capsys.readouterr()
    run = workplace.newest_sweep()
    line = printed.err.splitlines()[-1]
    assert run.info.status == "FAILED"
    assert "Traceback" not in printed.err
    note = run.data.tags["mlflow.note.content"]
    assert note.startswith(f"{line}\n\n**`#")
    assert any(told.startswith("look ") for told in printed.out.splitlines())
    assert run.data.params["best_C" if "best_C" in run.data.params else "C"] in ("0.1", "10.0")
    assert all(child.info.status == "FINISHED" for child in workplace.children(run.info.run_id))
    assert len(workplace.children(run.info.run_id)) == 2
    return line, run


def artifacts(workplace, run) -> set[str]:
    return {item.path for item in workplace.client.list_artifacts(run.info.run_id)}


def test_a_refit_that_fails_leaves_the_table_and_says_what_is_missing(workplace, capsys):
    line, run = closes_with(workplace, capsys, kind="FailsToFit", rows=ROWS // 2)
    assert line == (
        "the sweep's table is in the run, but the winner could not be refitted, so the hold-out's scores and the model "
        "are missing (RuntimeError: too many rows): mend that and run the command again, or fit the parameters in the "
        "table yourself."
    )
    assert artifacts(workplace, run) >= TABLES | {"plots", "report.html"}
    assert not workplace.client.search_registered_models()


def test_the_table_that_is_left_is_that_of_grid_search(workplace, capsys, table):
    line, run = closes_with(workplace, capsys, kind="FailsToFit", rows=ROWS // 2, holdout="0")
    assert "could not be refitted, so the model is missing (" in line
    folds = StratifiedKFold(2, shuffle=True, random_state=0)
    peer = GridSearchCV(LogisticRegression(), {"C": [0.1, 10.0]}, scoring="neg_log_loss", cv=folds, refit=False)
    peer.fit(table[["a", "b"]], table["y"])
    kept = pd.read_csv(workplace.client.download_artifacts(run.info.run_id, "cv_results.csv", str(workplace.folder)))
    for fold in ("split0_test_score", "split1_test_score"):
        np.testing.assert_allclose(kept[fold], peer.cv_results_[fold], rtol=1e-12)


def test_a_holdout_that_cannot_be_scored_costs_those_scores_and_nothing_else(workplace, capsys):
    asked = {"kind": "FailsToPredict", "rows": HELD, "scoring": ["neg_log_loss", "accuracy"]}
    line, run = closes_with(workplace, capsys, **asked)
    assert line == (
        "the sweep's table is in the run, but there is no holdout_neg_log_loss (ValueError: not for 20 rows): use "
        "another share of rows (-P holdout) or another scorer; the model has no card (ValueError: not for 20 rows)."
    )
    assert {"holdout_accuracy"} == {name for name in run.data.metrics if name.startswith("holdout")}
    assert mlflow.pyfunc.load_model("models:/mine@challenger").predict(pd.read_csv("mine.csv")).shape == (ROWS, 2)


def test_a_model_that_cannot_be_pickled_is_missed_and_not_half_there(workplace, capsys):
    line, run = closes_with(workplace, capsys, kind="CannotBePickled")
    assert "but the model could not be stored (TypeError: cannot pickle" in line
    assert "cannot pickle '_thread.lock' object" in line
    assert run.data.metrics["holdout_neg_log_loss"] > -0.7
    assert not workplace.client.search_registered_models()
    assert [model.status for model in workplace.client.search_logged_models([workplace.experiment])] == ["FAILED"]


def test_a_model_that_cannot_predict_what_it_was_shown_is_missed(workplace, capsys):
    line, run = closes_with(workplace, capsys, kind="FailsToPredict", rows=5)
    assert "the model could not be stored (ValueError: not for 5 rows)" in line
    assert "holdout_neg_log_loss" in run.data.metrics


def test_a_registry_that_refuses_leaves_a_model_to_register(workplace, capsys, monkeypatch):
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    line, _ = closes_with(workplace, capsys, kind="FailsToFit", rows=ROWS, record_wait="0")
    assert "but the model is not registered (the model registry does not answer (connection refused)" in line
    call = line.partition("it is stored: ")[2].rstrip(".")
    monkeypatch.delenv("MLFLOW_REGISTRY_URI")
    mlflow.set_registry_uri(f"sqlite:///{workplace.folder}/mlflow.db")
    eval(call, {"mlflow": mlflow})  # what the line tells the person to do
    assert mlflow.pyfunc.load_model("models:/mine/1").predict(pd.read_csv("mine.csv")).shape == (ROWS, 2)
    mlflow.set_registry_uri("")


@pytest.fixture
def blocked(workplace, monkeypatch):
    """A function that makes a run whose artifact of a name cannot be written, for the sweep to attach to."""

    def block(name: str) -> None:
        run = workplace.client.create_run(workplace.experiment)
        monkeypatch.setenv("MLFLOW_RUN_ID", run.info.run_id)
        folder = workplace.folder / "artifacts" / run.info.run_id / "artifacts"
        folder.mkdir(parents=True)
        if "." in name:
            (folder / name).mkdir()
        else:
            (folder / name).write_text("a file, where a folder should be")

    return block


@pytest.mark.parametrize(
    ("name", "said"), [("plots", "but there are no plots ("), ("model_card", "but the model has no card (")]
)
def test_what_illustrates_the_result_may_be_missing(workplace, capsys, blocked, name, said):
    blocked(name)
    line, _ = closes_with(workplace, capsys, kind="FailsToFit", rows=ROWS)
    assert said in line
    assert workplace.client.get_model_version_by_alias("mine", "challenger").version == 1


def test_a_run_that_refuses_the_table_leaves_it_on_disk_and_the_model_registered(workplace, capsys, blocked):
    blocked("cv_results.csv")
    assert swept("FailsToFit", rows=ROWS) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    folder = workplace.folder / "cache" / "results" / workplace.newest_sweep().info.run_id
    assert line.startswith(f"the sweep's table is in {folder}, but the run does not hold all of it (MLflow refused to ")
    assert {path.name for path in folder.iterdir()} == TABLES
    assert workplace.client.get_model_version_by_alias("mine", "challenger").version == 1


def test_a_disk_that_refuses_the_table_leaves_it_in_the_run(workplace, capsys):
    (workplace.folder / "cache").mkdir()
    (workplace.folder / "cache" / "results").write_text("a file, where a folder should be")
    line, run = closes_with(workplace, capsys, kind="FailsToFit", rows=ROWS)
    assert line.startswith("the sweep's table is in the run, but no copy of it could be kept on disk (")
    assert artifacts(workplace, run) >= TABLES


def test_an_interrupt_during_the_refit_leaves_the_result(workplace, capsys, heard):
    assert swept("Interrupts", rows=ROWS // 2) == 130
    run = workplace.newest_sweep()
    assert run.info.status == "KILLED"
    assert run.data.tags["mlflow.note.content"].startswith("interrupted (SIGINT).\n\n**`#")
    assert artifacts(workplace, run) >= TABLES
