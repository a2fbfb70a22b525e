"""A model that takes what a caller has: brand, model and events of each device."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from sklearn.svm import LinearSVC

from features.raw_devices import EXAMPLE
from tests.tracking import small_model
from tests.tracking.small_model import GROUPS
from tracking import EntryRun, FittedModel
from tracking.gridfold_model import imported_from
from tracking.registry import log_and_register


@pytest.fixture(scope="module")
def fitted():
    return small_model.fit()


@pytest.fixture
def model(client, fitted):
    with EntryRun.begin("sweep") as run:
        return log_and_register(run, fitted[0], "demo")


def test_it_takes_devices_and_gives_probabilities_by_name(model, fitted):
    sent = pd.DataFrame(list(EXAMPLE) * 2)
    predicted = mlflow.pyfunc.load_model(model.uri).predict(sent)
    expected = fitted[0].estimator.predict_proba(fitted[0].preparation.transform_raw(sent))
    assert list(predicted.columns) == GROUPS
    np.testing.assert_array_equal(predicted.to_numpy(), expected.astype(np.float64))


def test_the_example_that_travels_with_it_can_be_sent_as_it_is(model):
    loaded = mlflow.pyfunc.load_model(model.uri)
    assert loaded.predict(loaded.input_example).shape == (len(EXAMPLE), len(GROUPS))
    assert set(loaded.metadata.metadata["gridfold.columns"]) == {"phone_brand", "device_model", "events"}
    assert loaded.metadata.signature.outputs.input_names() == GROUPS


def test_fields_may_be_missing_and_a_batch_may_be_empty(model):
    loaded = mlflow.pyfunc.load_model(model.uri)
    assert loaded.predict(pd.DataFrame({"phone_brand": ["vivo", None]})).shape == (2, len(GROUPS))
    empty = loaded.predict(pd.DataFrame({"phone_brand": [], "device_model": [], "events": []}, dtype=object))
    assert empty.shape == (0, len(GROUPS))
    assert list(empty.columns) == GROUPS


def test_a_device_of_which_nothing_is_known_gets_what_any_such_device_gets(model):
    loaded = mlflow.pyfunc.load_model(model.uri)
    unknown = loaded.predict(pd.DataFrame([{}, {}], index=["one", "two"]))
    assert list(unknown.index) == ["one", "two"]
    like = loaded.predict(pd.DataFrame([{"phone_brand": None}, {"phone_brand": "Nonesuch", "device_id": 5}]))
    np.testing.assert_array_equal(unknown, like)


def test_an_unknown_field_is_named_and_no_row_is_dropped_for_it(model):
    loaded = mlflow.pyfunc.load_model(model.uri)
    with pytest.raises(MlflowException, match=r"row 1: unknown field 'brand'\. Did you mean 'phone_brand'\?"):
        loaded.predict(pd.DataFrame([{"phone_brand": "vivo"}, {"brand": "vivo"}]))


def test_a_malformed_row_is_refused_by_the_field_as_a_bad_request(model):
    loaded = mlflow.pyfunc.load_model(model.uri)
    with pytest.raises(MlflowException, match=r"row 0: events\[0\]: timestamp is missing") as raised:
        loaded.predict(pd.DataFrame({"events": [[{"apps": [1]}]]}))
    assert raised.value.get_http_status_code() == 400


def test_the_booster_is_still_there_for_those_who_have_the_matrix(model, fitted):
    loaded = mlflow.xgboost.load_model(model.uri)
    X = fitted[1].X[:20]
    np.testing.assert_array_equal(loaded.predict_proba(X), fitted[0].estimator.predict_proba(X))


def files_of(model, tmp_path) -> Path:
    return Path(mlflow.artifacts.download_artifacts(model.uri, dst_path=str(tmp_path / "model")))


def test_nothing_in_it_is_a_pickle_and_what_it_needs_is_pinned(model, tmp_path):
    folder = files_of(model, tmp_path)
    suffixes = {path.suffix for path in folder.rglob("*") if path.is_file()}
    assert suffixes <= {".ubj", ".json", ".parquet", ".py", ".txt", ".yaml", ""}
    needs = (folder / "requirements.txt").read_text().splitlines()
    assert {line.partition("==")[0] for line in needs} >= {"mlflow", "polars", "scipy", "xgboost"}
    assert all("==" in line for line in needs)


def test_it_predicts_with_the_code_that_it_came_with(model, tmp_path):
    folder = files_of(model, tmp_path)
    code = folder / "preparation" / "code" / "features" / "raw_devices.py"
    code.write_text(code.read_text().replace("timestamp is missing", "Zeit fehlt"))
    ours = sys.modules["features"]
    with pytest.raises(MlflowException, match="Zeit fehlt"):
        mlflow.pyfunc.load_model(str(folder)).predict(pd.DataFrame({"events": [[{}]]}))
    assert sys.modules["features"] is ours


def test_a_classifier_without_probabilities_gives_labels(client, fitted):
    about, matrix = fitted
    codes = np.arange(matrix.X.shape[0]) % 2
    plain = FittedModel(
        LinearSVC().fit(matrix.X, codes), matrix.X[:3], GROUPS, about.columns, preparation=about.preparation
    )
    with EntryRun.begin("sweep") as run:
        registered = log_and_register(run, plain, "demo")
    predicted = mlflow.pyfunc.load_model(registered.uri).predict(pd.DataFrame(list(EXAMPLE)))
    assert set(predicted) <= set(GROUPS)


def test_imported_from_leaves_the_process_as_it_was(tmp_path):
    (tmp_path / "json.py").write_text("NAME = 'ours'")
    assert imported_from(tmp_path, "json").NAME == "ours"
    assert sys.modules["json"] is json
    assert str(tmp_path) not in sys.path
