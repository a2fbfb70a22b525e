"""Scoring rows of one's own table as its user meets it: a row of predictions for each, from any file."""

import gzip

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import entrypoints.score_table as module
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
