"""The model takes rows as they are in the file that it learned from, whatever types pandas gives them there."""

import json
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
from entrypoints.data.own import own_rows
from entrypoints.parameters import SweepParams
from entrypoints.results.outcome import fitted_model
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


def model_of(path: str, asked: dict, target: str = "y", folder: str = "model"):
    """Fit on the whole file, save, and load as anybody would; give the model, the estimator and its own rows."""
    asked = {"scoring": "accuracy", "cv": {"folds": 2}, **asked}
    spec, rows = own_rows(SweepParams(features=path, target=target, holdout=0), tuning.SweepSpec(**asked))
    candidate = tuning.Candidate({name: values[0] for name, values in spec.grid.items()})
    winner = tuning.refit(spec, candidate, rows.train, cores=1)
    model_files.save(fitted_model(winner, rows), Path(folder), Model())
    return mlflow.pyfunc.load_model(folder), winner, rows


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


def mixed() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "whole": DRAW.integers(0, 9, ROWS),
            "number": NUMBER,
            "truth": WHICH == 1,
            "code": np.where(WHICH, "007", "XL"),
            "y": np.where(WHICH, "yes", "no"),
        }
    )


OTHER_TYPES = {
    "nullable": {"whole": "Int64", "number": "Float64", "truth": "boolean", "code": "string"},
    "narrow": {"whole": "int8", "number": "float32"},
    "objects": dict.fromkeys(["whole", "number", "truth", "code"], object),
    "categories": dict.fromkeys(["whole", "truth", "code"], "category"),
    "numbers for truths": {"truth": float},
    "arrow": {"whole": "int64[pyarrow]", "number": "double[pyarrow]", "truth": "bool[pyarrow]"},
}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """Models of one table with a column of every kind, by estimator."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("models"))
        mixed().to_csv("t.csv", index=False)
        asked = {"trees": XGBOOST, "line": LOGISTIC}
        models = {name: model_of("t.csv", spec, folder=name)[0] for name, spec in asked.items()}
        yield {**models, "folder": Path.cwd()}


@pytest.mark.parametrize("kind", OTHER_TYPES)
@pytest.mark.parametrize("which", ["trees", "line"])
def test_rows_may_come_in_other_types_of_pandas_and_keep_their_index(loaded, which, kind):
    file = mixed().drop(columns="y")
    file.index = pd.Index([f"row{place}" for place in range(ROWS)])
    expected = loaded[which].predict(file)
    found = loaded[which].predict(file.astype(OTHER_TYPES[kind]))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert list(found.index) == list(expected.index) == list(file.index)


def test_gaps_are_taken_where_the_estimator_takes_them_and_named_where_it_does_not(loaded):
    file = mixed().drop(columns="y").astype(object).head(3)
    file.loc[1, ["whole", "truth"]] = None
    assert loaded["trees"].predict(file).shape == (3, 2)
    with pytest.raises(MlflowException, match=r"'whole' is empty in row 1 .*as LogisticRegression does not"):
        loaded["line"].predict(file)


def test_fractions_are_taken_where_whole_numbers_were(loaded):
    file = mixed().drop(columns="y").head(2).assign(whole=[2.5, 3.0])
    halfway = loaded["line"].predict(file)["yes"].iloc[0]
    ends = [loaded["line"].predict(file.assign(whole=[whole, 3]))["yes"].iloc[0] for whole in (2, 3)]
    assert min(ends) < halfway < max(ends)


def test_a_code_without_a_letter_is_told_by_its_text(loaded):
    file = mixed().drop(columns="y").head(1)
    text, number, other = (loaded["trees"].predict(file.assign(code=[code])) for code in ("12", 12, 12.0))
    np.testing.assert_array_equal(text, number)
    np.testing.assert_array_equal(text, other)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"whole": "many"}, "column 'whole' holds 'many' in row 0, which is no number"),
        ({"number": pd.Timestamp("2020-01-01")}, "column 'number' holds Timestamp.* in row 0, which is no number"),
        ({"number": np.inf}, "column 'number' holds infinity in row 0"),
        ({"truth": 0.5}, "column 'truth' was true or false in the table, and is .*0.5.* in row 0"),
        ({"code": ["a"]}, "column 'code' holds lists or objects"),
    ],
)
def test_what_the_model_does_not_take_is_named_by_column_and_row(loaded, change, said):
    file = mixed().drop(columns="y").head(2).astype(object)
    for name, value in change.items():
        file[name] = pd.Series([value, file[name].iloc[1]], dtype=object)
    with pytest.raises(MlflowException, match=said) as raised:
        loaded["trees"].predict(file)
    assert raised.value.get_http_status_code() == 400
    with pytest.raises(MlflowException, match="missing inputs"):
        loaded["trees"].predict(file.drop(columns=["whole"]))


def test_the_scoring_server_takes_json_and_parquet_and_never_cuts_a_fraction_off(loaded):
    from mlflow.pyfunc.scoring_server import invocations

    file = mixed().drop(columns="y").head(4).astype({"whole": float, "truth": object})
    file.loc[0, "whole"] = 2.5
    file.loc[1, "truth"] = None
    model = loaded["trees"]
    expected = model.predict(file).to_numpy()
    schema = model.metadata.get_input_schema()
    split = json.dumps({"dataframe_split": json.loads(file.to_json(orient="split", index=False))})
    records = json.dumps({"dataframe_records": json.loads(file.to_json(orient="records"))})
    sent = [
        ("application/json", split),
        ("application/json", records),
        ("application/vnd.apache.parquet", file.to_parquet()),
    ]
    for kind, body in sent:
        answer = invocations(body, kind, model, schema)
        assert answer.status == 200
        found = [list(row.values()) for row in json.loads(answer.response)["predictions"]]
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_mlflow_predicts_from_a_csv_file_in_which_fractions_happen_to_be_whole(loaded, tmp_path):
    from mlflow.pyfunc.scoring_server import _predict

    file = mixed().drop(columns="y").head(5).assign(number=range(5))
    file.to_csv(tmp_path / "new.csv", index=False)
    _predict(str(loaded["folder"] / "trees"), str(tmp_path / "new.csv"), str(tmp_path / "out.json"), "csv")
    found = pd.DataFrame(json.loads((tmp_path / "out.json").read_text())["predictions"])
    np.testing.assert_allclose(found, loaded["trees"].predict(file), rtol=1e-12)


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
