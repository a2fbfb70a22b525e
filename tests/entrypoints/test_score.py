"""Scoring as its user meets it: one row a test device, from any model of the registry or a run."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

import entrypoints.score as module
from entrypoints.score import score
from entrypoints.sweep import sweep
from sources.schema import GROUPS
from tests.entrypoints.conftest import SMALL

DATA = ["--scale", "0.005"]


@pytest.fixture
def swept(workplace):
    assert sweep([*SMALL, "--space", workplace.space]) == 0
    return workplace


def test_every_test_device_gets_its_row_whatever_names_the_model_and_however_large_the_batches(
    swept, capsys, monkeypatch
):
    run = swept.newest_sweep().info.run_id
    monkeypatch.setattr(module, "BATCH", 100)
    written = {}
    for name, uri in (
        ("a.csv", "models:/demographics@challenger"),
        ("b.csv", f"runs:/{run}"),
        ("c.parquet", f"runs:/{run}/model"),
    ):
        assert score([*DATA, "--model", uri, "--output", name]) == 0
        assert f": {swept.folder / name}" in capsys.readouterr().out
        written[name] = pd.read_csv(name) if name.endswith("csv") else pd.read_parquet(name)
        monkeypatch.setattr(module, "BATCH", 1000)
    first = written["a.csv"]
    [tables] = (swept.folder / "cache" / "tables").iterdir()
    assert list(first.columns) == ["device_id", *GROUPS]
    assert list(first["device_id"]) == list(pd.read_parquet(tables / "gender_age_test.parquet")["device_id"])
    np.testing.assert_allclose(first[list(GROUPS)].sum(axis=1), 1, atol=1e-6)
    assert first[list(GROUPS)].to_numpy().std() > 0
    for other in list(written.values())[1:]:
        pd.testing.assert_frame_equal(first, other, check_exact=False, rtol=1e-6)
    drift = pd.read_csv("c.drift.csv").groupby("group")["psi"].first()
    assert set(drift.index) == {"brand_model", "weekday_hour"}
    newest = swept.runs()[0]
    assert newest.data.metrics["psi_brand_model"] == pytest.approx(drift["brand_model"], rel=1e-4)
    assert newest.data.metrics["devices"] == len(first)
    assert newest.data.tags["scored.model"] == f"runs:/{run}/model"


def test_labelled_devices_are_judged_beside_the_hold_out(swept, capsys):
    arguments = [*DATA, "--model", "models:/demographics@challenger", "--output", "out.csv"]
    assert score(arguments) == 0
    devices = pd.read_csv("out.csv")["device_id"]
    became = [GROUPS[place % 12] for place in range(0, len(devices), 2)]
    some = pd.DataFrame({"device_id": devices.iloc[::2], "became": became})
    some.to_csv("truth.csv", index=False)
    assert score([*arguments, "--labels", "truth.csv:became"]) == 0
    predicted = pd.read_csv("out.csv").set_index("device_id").loc[some["device_id"], sorted(GROUPS)]
    expected = -log_loss(some["became"], predicted, labels=sorted(GROUPS))
    assert swept.runs()[0].data.metrics["labelled_neg_log_loss"] == pytest.approx(expected, abs=1e-4)
    sweep_run = swept.client.get_run(swept.client.get_model_version("demographics", "1").run_id)
    held = sweep_run.data.metrics["holdout_neg_log_loss"]
    words = f"on {len(some):,} labelled rows of {len(devices):,}; on the hold-out of its sweep {held:.5f}"
    assert words in capsys.readouterr().out
    wrong = {
        ("--labels", "truth.csv"): "expected FILE:COLUMN",
        ("--labels", "truth.csv:group"): "there is no column 'group'",
        ("--data", "truth.csv"): "takes devices, and this is a file. Name a folder of the seven tables",
    }
    for given, said in wrong.items():
        assert score([*arguments, *given]) == 1
        assert said in capsys.readouterr().err


def test_without_a_champion_the_line_says_how_to_have_one(swept, capsys):
    assert score([*DATA, "--model", "models:/demographics@second"]) == 1
    assert "not found" in capsys.readouterr().err
    assert score(DATA) == 1
    assert capsys.readouterr().err.endswith(
        "alias champion not found. `mlflow run . -e promote --env-manager local -P model=demographics` "
        "makes one of the challenger.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--model", "models:/nobody@champion"], "models:/nobody@champion"),
        (["--model", "models:/demographics@champion"], "champion"),
        (["--output", "out.txt"], "expected a file that ends in .csv or .parquet"),
    ],
)
def test_what_is_wrong_is_one_line_and_writes_nothing(workplace, capsys, arguments, said):
    assert score([*DATA, *arguments]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert said in line
    assert not (workplace.folder / "submission.csv").exists()


def test_a_model_that_takes_a_matrix_is_refused_in_one_line(workplace, capsys):
    from sklearn.dummy import DummyClassifier

    from tracking import EntryRun, FittedModel
    from tracking.registry import log_and_register

    X = np.eye(4)
    with EntryRun.begin("sweep") as run:
        log_and_register(run, FittedModel(DummyClassifier().fit(X, [0, 1, 0, 1]), X, ["a", "b"]), "own")
    assert score([*DATA, "--model", "models:/own@challenger"]) == 1
    assert "takes the columns of a table, not devices" in capsys.readouterr().err
