"""Scoring rows of one's own table as its user meets it: a row of predictions for each, from any file."""

import gzip

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.metrics import log_loss, r2_score, roc_auc_score

import entrypoints.scoring.score_table as module
from entrypoints.score import score
from tests.entrypoints import own_models
from tests.entrypoints.own_models import RIDGE, XGBOOST, people, register

MODEL = ["--model", "models:/people@challenger"]


@pytest.fixture
def registered(workplace):
    people().to_csv("people.csv", index=False)
    register("people.csv", XGBOOST)
    return workplace


def scored(*arguments: str, output: str = "out.csv") -> pd.DataFrame:
    assert score([*arguments, "--output", output]) == 0
    return pd.read_csv(output) if output.endswith("csv") else pd.read_parquet(output)


def refused(capsys, *arguments: str) -> str:
    capsys.readouterr()
    assert score(list(arguments)) == 1
    [line] = capsys.readouterr().err.splitlines()
    return line


def loaded():
    import mlflow

    return mlflow.pyfunc.load_model("models:/people@challenger")


def test_every_row_gets_its_probabilities_in_order_from_every_kind_of_file(registered, monkeypatch, capsys):
    new = people(90, seed=1)
    new.to_csv("new.csv", index=False)
    new.to_csv("semicolons.csv", index=False, sep=";", decimal=",")
    with gzip.open("packed.csv.gz", "wt") as file:
        new.drop(columns="won").to_csv(file, index=False)
    new[["town", "member", "pay", "rooms", "age"]].astype({"town": "category"}).to_parquet("new.parquet")
    (registered.folder / "parts").mkdir()
    for place in range(3):
        new.iloc[place * 30 : place * 30 + 30].to_parquet(f"parts/part-{place}.parquet")
    expected = loaded().predict(pd.read_csv("new.csv"))
    monkeypatch.setattr(module, "BATCH", 40)
    for name in ("new.csv", "semicolons.csv", "packed.csv.gz", "new.parquet", "parts"):
        found = scored(*MODEL, "--data", name, output="out.parquet" if name == "new.csv" else "out.csv")
        assert list(found.columns) == ["no", "yes"]
        np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), atol=1e-6, err_msg=name)
        assert "scored   90 rows with models:/people@challenger" in capsys.readouterr().out
    newest = registered.runs()[0]
    assert newest.data.metrics["rows"] == 90
    assert newest.inputs.dataset_inputs[0].dataset.name == "parts"


def test_text_stays_text_in_a_batch_without_a_letter(registered, monkeypatch):
    new = people(60, seed=2).sort_values("town", ignore_index=True)
    new.to_csv("new.csv", index=False)
    monkeypatch.setattr(module, "BATCH", 10)
    np.testing.assert_allclose(scored(*MODEL, "--data", "new.csv"), loaded().predict(new), atol=1e-6)


def test_a_regression_and_labels_have_one_column_and_targets_one_each(workplace):
    table = people()
    table["double"] = table["rooms"] * 2.0
    table[["rooms", "pay", "double"]].to_csv("numbers.csv", index=False)
    register("numbers.csv", RIDGE, target="double", name="one")
    register("numbers.csv", RIDGE, target="double,pay", name="two")
    table[["rooms", "pay", "won"]].to_csv("labels.csv", index=False)
    register(
        "labels.csv", {"estimator": "sklearn.svm.LinearSVC", "grid": {"C": [1.0]}, "scoring": "f1_macro"}, name="said"
    )
    one = scored("--model", "models:/one@challenger", "--data", "numbers.csv")
    np.testing.assert_allclose(one["prediction"], table["double"], atol=0.1)
    two = scored("--model", "models:/two@challenger", "--data", "numbers.csv", output="two.parquet")
    assert list(two.columns) == ["double", "pay"]
    assert set(scored("--model", "models:/said@challenger", "--data", "labels.csv")["prediction"]) <= {"yes", "no"}


def test_a_matrix_is_scored_by_its_places(workplace, capsys):
    draw = np.random.default_rng(0)
    X = sp.random(60, 4, 0.5, format="csr", random_state=0)
    pd.DataFrame({"won": np.where(draw.random(60) < 0.5, "yes", "no")}).to_csv("labels.csv", index=False)
    sp.save_npz("X.npz", X)
    sp.save_npz("wide.npz", sp.hstack([X, X]).tocsr())
    own_models.register("X.npz", XGBOOST, target="labels.csv:won", name="matrix")
    found = scored("--model", "models:/matrix@challenger", "--data", "X.npz")
    assert found.shape == (60, 2)
    assert "the matrix has 8 columns" in refused(capsys, "--model", "models:/matrix@challenger", "--data", "wide.npz")
    assert "Give a .npz" in refused(capsys, "--model", "models:/matrix@challenger", "--data", "labels.csv")


def test_drift_is_told_in_a_line_and_a_table_though_the_rows_come_in_batches(registered, capsys, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 100)
    people(300).to_csv("same.csv", index=False)
    scored(*MODEL, "--data", "same.csv")
    assert "drift    psi below 0.1 in all 5, or no more than chance; largest" in capsys.readouterr().out
    moved = people(300, seed=4)
    moved.assign(pay=moved["pay"] + 2, town="XL").to_csv("moved.csv", index=False)
    scored(*MODEL, "--data", "moved.csv")
    [said] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("drift")]
    assert "(0.25 and more is much)" in said
    assert said.endswith("/out.drift.csv")
    table = pd.read_csv("out.drift.csv")
    indices = table.groupby("group")["psi"].first()
    assert set(indices[indices > 0.25].index) == {"pay", "town"}
    np.testing.assert_allclose(table.groupby("group")["new"].sum(), 1, atol=1e-5)
    run = registered.runs()[0]
    assert run.data.metrics["psi_pay"] == pytest.approx(indices["pay"], rel=1e-4)
    assert "drift.csv" in {file.path for file in registered.client.list_artifacts(run.info.run_id)}


def test_labelled_rows_are_judged_by_the_sweeps_own_scorer(registered, capsys, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 40)
    new = people(90, seed=1)
    known = new["won"].where(new.index % 3 > 0)
    new.assign(won=known).to_csv("new.csv", index=False)
    registered.client.log_metric(registered.newest_sweep().info.run_id, "holdout_neg_log_loss", -0.5)
    found = scored(*MODEL, "--data", "new.csv", "--labels", "won")
    expected = -log_loss(known[known.notna()] == "yes", found["yes"][known.notna()])
    printed = capsys.readouterr().out
    assert f"score    neg_log_loss {expected:.4f}"[:-1] in printed
    assert "on 60 labelled rows of 90; on the hold-out of its sweep -0.50000" in printed
    metrics = registered.runs()[0].data.metrics
    assert metrics["labelled_neg_log_loss"] == pytest.approx(expected, abs=1e-5)
    register("people.csv", {**XGBOOST, "scoring": "roc_auc"})
    found = scored(*MODEL, "--data", "new.csv", "--labels", "won")
    expected = roc_auc_score(known[known.notna()] == "yes", found["yes"][known.notna()])
    assert registered.runs()[0].data.metrics["labelled_roc_auc"] == pytest.approx(expected, abs=1e-5)


def test_numbers_and_several_targets_have_labels_too(workplace):
    table = people().assign(double=lambda frame: frame["rooms"] * 2.0)
    table[["rooms", "pay", "double"]].to_csv("numbers.csv", index=False)
    register("numbers.csv", RIDGE, target="double", name="one")
    register("numbers.csv", RIDGE, target="double,pay", name="two")
    found = scored("--model", "models:/one@challenger", "--data", "numbers.csv", "--labels", "double")
    expected = r2_score(table["double"], found["prediction"])
    assert workplace.runs()[0].data.metrics["labelled_r2"] == pytest.approx(expected, abs=1e-4)
    found = scored("--model", "models:/two@challenger", "--data", "numbers.csv", "--labels", "double,pay")
    expected = r2_score(table[["double", "pay"]], found)
    assert workplace.runs()[0].data.metrics["labelled_r2"] == pytest.approx(expected, abs=1e-4)


def test_labels_that_do_not_fit_are_one_line_and_nothing_is_written(registered, capsys):
    new = people(30, seed=3)
    new["won"] = new["won"].where(new.index != 7, "perhaps")
    new["lost"] = np.nan
    new.to_csv("new.csv", index=False)
    said = {
        "won": "new.csv: column 'won' holds 'perhaps' in row 8, and models:/people@challenger knows no such class. It "
        "knows no, yes.",
        "win": "new.csv: there is no column 'win', which -P labels=win takes. Did you mean 'won'?",
        "lost": "new.csv: no row has a label in 'lost'. Leave -P labels out.",
        "age": "-P labels=age: models:/people@challenger predicts from column 'age'. Name what it predicts.",
        "won,lost": "-P labels=won,lost: models:/people@challenger predicts 1, and these are 2.",
    }
    for labels, words in said.items():
        assert refused(capsys, *MODEL, "--data", "new.csv", "--labels", labels) == words
    assert not (registered.folder / "submission.csv").exists()


def test_what_is_wrong_is_one_line_and_writes_nothing(registered, capsys, monkeypatch):
    new = people(30, seed=3)
    new.drop(columns=["age", "town"]).to_csv("other.csv", index=False)
    new.rename(columns={"rooms": "room"}).to_csv("misspelt.csv", index=False)
    new.assign(pay=["0.5"] * 25 + ["much"] * 5).to_csv("words.csv", index=False)
    new.head(0).to_csv("empty.csv", index=False)
    sp.save_npz("X.npz", sp.eye(4, format="csr"))
    monkeypatch.setattr(module, "BATCH", 20)
    said = {
        "other.csv": "there is no column 'age', 'town', which models:/people@challenger takes.",
        "misspelt.csv": "there is no column 'rooms', which models:/people@challenger takes. Did you mean 'room'?",
        "words.csv": "column 'pay' holds",
        "empty.csv": "the table has no rows",
        "X.npz": "this is a matrix, and the model takes the columns of a table by their names",
        "none.csv": "no such file",
        "synthetic": "takes the columns of a table, not devices. Name its rows: -P data=FILE",
    }
    for data, words in said.items():
        assert words in refused(capsys, *MODEL, "--data", data), data
    assert not (registered.folder / "submission.csv").exists()
