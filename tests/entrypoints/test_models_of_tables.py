"""The model takes rows as they are in the file that it learned from, whatever types pandas gives them there."""

from decimal import Decimal
from pathlib import Path

import mlflow.pyfunc
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xgboost
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from sklearn.svm import LinearSVC

import tuning
from entrypoints.outcome import fitted_model
from entrypoints.own_data import own_rows
from entrypoints.parameters import SweepParams
from tracking import model_files

ROWS = 90
DRAW = np.random.default_rng(0)
WHICH = DRAW.integers(0, 2, ROWS)
NUMBER = np.round(DRAW.normal(size=ROWS) + WHICH, 3)

XGBOOST = {
    "estimator": "xgboost.XGBClassifier",
    "fixed": {"n_estimators": 3, "random_state": 0},
    "grid": {"max_depth": [2]},
}
HISTOGRAMS = {
    "estimator": "sklearn.ensemble.HistGradientBoostingClassifier",
    "fixed": {"max_iter": 3},
    "grid": {"max_depth": [2]},
}
LOGISTIC = {"estimator": "sklearn.linear_model.LogisticRegression", "grid": {"C": [1.0]}}
IMPUTED = {
    "estimator": [{"fill": "sklearn.impute.SimpleImputer"}, {"model": "sklearn.linear_model.LogisticRegression"}],
    "grid": {"model__C": [1.0]},
}
RIDGE = {"estimator": "sklearn.linear_model.Ridge", "grid": {"alpha": [1.0]}, "scoring": "r2"}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def model_of(path: str, asked: dict, target: str = "y"):
    """Fit on the whole file, save, and load as anybody would; give the model, the estimator and its own rows."""
    asked = {"scoring": "accuracy", "cv": {"folds": 2}, **asked}
    spec, rows = own_rows(SweepParams(features=path, target=target, holdout=0), tuning.SweepSpec(**asked))
    candidate = tuning.Candidate({name: values[0] for name, values in spec.grid.items()})
    winner = tuning.refit(spec, candidate, rows.train, cores=1)
    model_files.save(fitted_model(winner, rows), Path("model"), Model())
    return mlflow.pyfunc.load_model("model"), winner, rows


def written(column: object, name: str = "t.parquet") -> tuple[str, pd.DataFrame]:
    frame = pd.DataFrame({"a": NUMBER, "b": column, "y": np.where(WHICH, "yes", "no")})
    if name.endswith(".csv"):
        frame.to_csv(name, index=False)
        return name, pd.read_csv(name)
    frame.to_parquet(name, index=False)
    return name, pd.read_parquet(name)


GAPPY = DRAW.random(ROWS) < 0.2
COLUMNS = {
    "unused categories": pd.Categorical(np.where(WHICH, "u", "v"), categories=["w", "v", "u"]),
    "categories with gaps": pd.Categorical(np.where(GAPPY, None, np.where(WHICH, "u", "v"))),
    "categories of numbers": pd.Categorical(WHICH * 7 + 1),
    "categories of fractions": pd.Categorical(WHICH + 0.5),
    "truths": WHICH == 1,
    "truths with gaps": pd.array(np.where(GAPPY, None, WHICH == 1), dtype="boolean"),
    "whole numbers": WHICH,
    "whole numbers with gaps": pd.array(np.where(GAPPY, None, WHICH), dtype="Int64"),
    "narrow numbers": WHICH.astype(np.int8),
    "unsigned numbers": WHICH.astype(np.uint64) + 2**63,
    "half-precise numbers": NUMBER.astype(np.float32),
    "decimals": [Decimal(int(value)) / 4 for value in WHICH],
    "text": np.where(WHICH, "u", "v"),
    "text with gaps": np.where(GAPPY, None, np.where(WHICH, "u", "v")),
    "nothing": np.full(ROWS, None),
}
FROM_CSV = ("truths with gaps", "whole numbers with gaps", "unsigned numbers", "text with gaps", "nothing", "truths")


@pytest.mark.parametrize("kind", COLUMNS)
def test_every_kind_of_column_is_taken_as_pandas_reads_it_from_parquet(kind):
    path, file = written(COLUMNS[kind])
    model, winner, rows = model_of(path, XGBOOST)
    takes_the_file(model, winner, rows, file)


@pytest.mark.parametrize("kind", FROM_CSV)
def test_every_kind_of_column_is_taken_as_pandas_reads_it_from_csv(kind):
    path, file = written(COLUMNS[kind], "t.csv")
    model, winner, rows = model_of(path, XGBOOST)
    takes_the_file(model, winner, rows, file)


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("unused categories", LOGISTIC),
        ("unused categories", HISTOGRAMS),
        ("whole numbers with gaps", HISTOGRAMS),
        ("truths with gaps", IMPUTED),
        ("whole numbers with gaps", IMPUTED),
        ("categories with gaps", LOGISTIC),
        ("decimals", LOGISTIC),
    ],
)
def test_every_estimator_gets_the_columns_that_it_was_trained_on(kind, asked):
    path, file = written(COLUMNS[kind])
    model, winner, rows = model_of(path, asked)
    takes_the_file(model, winner, rows, file)


def takes_the_file(model, winner, rows, file: pd.DataFrame) -> None:
    expected = winner.predict_proba(rows.train.X)
    np.testing.assert_allclose(model.predict(file), expected, atol=1e-6)
    np.testing.assert_allclose(model.predict(file.drop(columns="y")), expected, atol=1e-6)
    np.testing.assert_allclose(model.predict(file.iloc[[7]]), expected[[7]], atol=1e-6)
    assert list(model.predict(file).columns) == ["no", "yes"]


def test_the_types_of_plain_columns_stay_in_the_signature():
    path, _ = written(COLUMNS["unused categories"])
    model, _, _ = model_of(path, XGBOOST)
    types = {column.name: str(column.type) for column in model.metadata.get_input_schema().inputs}
    assert types == {"a": "DataType.double", "b": "Any"}


def test_what_is_no_number_is_named():
    path, _ = written(COLUMNS["whole numbers with gaps"])
    model, _, _ = model_of(path, XGBOOST)
    with pytest.raises(MlflowException, match=r"column 'b' holds .* that are no numbers"):
        model.predict(pd.DataFrame({"a": [0.5], "b": ["many"]}))


def test_decimals_are_predicted_as_numbers():
    cents = pa.array([str(round(value, 2)) for value in NUMBER], pa.string()).cast(pa.decimal128(10, 2))
    pq.write_table(pa.table({"a": NUMBER, "y": cents}), "t.parquet")
    model, winner, rows = model_of("t.parquet", RIDGE)
    assert rows.train.y.tolist() == [float(value) for value in cents.to_pylist()]
    np.testing.assert_allclose(model.predict(pd.read_parquet("t.parquet")), winner.predict(rows.train.X))


def test_a_booster_equals_xgboost_on_the_frame_with_its_categories():
    path, file = written(COLUMNS["unused categories"])
    model, _, _ = model_of(path, XGBOOST)
    X = file.drop(columns="y").assign(b=file["b"].cat.remove_unused_categories().cat.reorder_categories(["u", "v"]))
    plain = xgboost.XGBClassifier(n_estimators=3, random_state=0, max_depth=2, enable_categorical=True, n_jobs=1)
    np.testing.assert_allclose(model.predict(file), plain.fit(X, WHICH).predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("labels", [["no", "yes"], [0, 1], [1, 2], [-1, 1], [False, True]], ids=str)
def test_labels_are_predicted_as_the_file_has_them_where_there_are_no_probabilities(labels):
    frame = pd.DataFrame({"a": NUMBER, "y": np.asarray(labels)[WHICH]})
    frame.to_csv("t.csv", index=False)
    asked = {"estimator": "sklearn.svm.LinearSVC", "grid": {"C": [1.0]}}
    model, _, _ = model_of("t.csv", asked)
    expected = LinearSVC(C=1.0).fit(frame[["a"]], frame["y"]).predict(frame[["a"]])
    assert model.predict(pd.read_csv("t.csv")).tolist() == expected.tolist()
