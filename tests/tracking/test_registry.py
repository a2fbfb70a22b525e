"""The winner in the registry, and how it predicts once loaded from there."""

from __future__ import annotations

from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import xgboost
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from errors import TrackingError
from tracking import EntryRun, FittedModel
from tracking.registry import check_model_name, log_and_register

GROUPS = ["F23-", "F24-26", "M22-"]
DRAW = np.random.default_rng(0)
SPARSE = sp.random(90, 300, 0.1, format="csr", dtype=np.float32, random_state=0)
CODES = DRAW.integers(0, 3, 90)
NAMES = [f"app={number - 2**62}" for number in range(300)]


def boosted() -> xgboost.XGBClassifier:
    return xgboost.XGBClassifier(n_estimators=3, max_depth=2, n_jobs=1)


def stacked() -> StackingClassifier:
    named = [("tree", DecisionTreeClassifier(max_depth=2, random_state=0)), ("boost", boosted())]
    return StackingClassifier(named, final_estimator=LogisticRegression(), cv=3)


def register(estimator, rows=SPARSE, target=CODES, classes=GROUPS, columns=NAMES, **options):
    """Fit, log and register, and give the model as anybody would load it."""
    estimator.fit(rows, target)
    fitted = FittedModel(estimator, rows[:3], classes, columns)
    with EntryRun.begin("sweep") as run:
        model = log_and_register(run, fitted, "demo", **options)
    return run, model, mlflow.pyfunc.load_model(model.uri)


def files(client: MlflowClient, run: EntryRun, tmp_path: Path) -> set[str]:
    folder = mlflow.artifacts.download_artifacts(f"runs:/{run.run_id}/model", dst_path=str(tmp_path / "model"))
    return {path.name for path in Path(folder).rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "estimator",
    [boosted(), LogisticRegression(), make_pipeline(MaxAbsScaler(), boosted()), stacked()],
    ids=["xgboost", "scikit-learn", "xgboost in a pipeline", "estimators in an estimator"],
)
def test_it_predicts_a_probability_per_label_and_needs_no_pickle(client, estimator, tmp_path):
    run, model, loaded = register(estimator)
    predicted = loaded.predict(SPARSE)
    assert list(predicted.columns) == GROUPS
    np.testing.assert_allclose(predicted.to_numpy(), estimator.predict_proba(SPARSE), rtol=1e-6)
    assert model.pickled_because is None
    assert not any(name.endswith(("pkl", "pickle")) for name in files(client, run, tmp_path))


def test_dense_rows_predict_what_sparse_ones_do(client):
    """A booster trained on sparse rows takes an absent entry for missing, and would split a dense zero otherwise."""
    estimator = boosted()
    _, _, loaded = register(estimator)
    dense = SPARSE.toarray()
    assert not np.allclose(estimator.predict_proba(dense), estimator.predict_proba(SPARSE))
    np.testing.assert_allclose(loaded.predict(dense).to_numpy(), estimator.predict_proba(SPARSE), rtol=1e-6)


def test_the_native_flavor_gives_the_estimator_back(client):
    _, model, _ = register(boosted())
    assert isinstance(mlflow.xgboost.load_model(model.uri), xgboost.XGBClassifier)


def test_a_classifier_without_probabilities_predicts_labels(client):
    estimator = LinearSVC()
    _, _, loaded = register(estimator)
    assert list(loaded.predict(SPARSE)) == [GROUPS[code] for code in estimator.predict(SPARSE)]


def test_regression_predicts_numbers(client):
    estimator = xgboost.XGBRegressor(n_estimators=3, n_jobs=1)
    _, _, loaded = register(estimator, target=DRAW.normal(size=90), classes=None)
    np.testing.assert_allclose(loaded.predict(SPARSE), estimator.predict(SPARSE), rtol=1e-6)


def test_what_skops_cannot_vouch_for_is_pickled_and_says_why(client):
    estimator = make_pipeline(FunctionTransformer(lambda rows: rows), LogisticRegression())
    _, model, loaded = register(estimator)
    assert "lambda" in model.pickled_because
    np.testing.assert_allclose(loaded.predict(SPARSE).to_numpy(), estimator.predict_proba(SPARSE))


def test_a_wide_matrix_has_one_tensor_as_signature(client):
    _, _, loaded = register(boosted())
    assert loaded.metadata.signature.inputs.is_tensor_spec()
    assert loaded.metadata.signature.inputs.inputs[0].shape == (-1, 300)
    assert loaded.metadata.signature.outputs.input_names() == GROUPS


def test_a_few_columns_are_named_in_the_signature_and_may_come_in_any_order(client):
    names = ["age", "height", "weight"]
    estimator = LogisticRegression()
    dense = SPARSE[:, :3].toarray()
    _, _, loaded = register(estimator, rows=dense, columns=names)
    assert loaded.metadata.signature.inputs.input_names() == names
    assert list(loaded.input_example.columns) == names
    shuffled = pd.DataFrame(dense, columns=names)[["weight", "age", "height"]]
    np.testing.assert_allclose(loaded.predict(shuffled).to_numpy(), estimator.predict_proba(dense), rtol=1e-6)


def test_a_data_frame_reaches_the_estimator_as_one(client):
    frame = pd.DataFrame({"brand": pd.Categorical(["a", "b", "c"] * 30), "hours": DRAW.normal(size=90)})
    estimator = xgboost.XGBClassifier(n_estimators=3, n_jobs=1, enable_categorical=True)
    _, _, loaded = register(estimator, rows=frame, columns=list(frame.columns))
    as_typed = frame.astype({"brand": str})[60:62]  # two of the three brands, as plain words
    np.testing.assert_allclose(loaded.predict(as_typed).to_numpy(), estimator.predict_proba(frame)[60:62], rtol=1e-6)


def test_the_alias_moves_to_the_newest_version(client):
    register(DummyClassifier())
    _, model, _ = register(DummyClassifier())
    assert (model.version, model.uri) == (2, "models:/demo@challenger")
    assert int(client.get_model_version_by_alias("demo", "challenger").version) == 2


def test_a_version_leads_back_to_its_run_and_carries_its_score(client):
    run, model, _ = register(DummyClassifier(), scores={"holdout_neg_log_loss": -2.2})
    version = client.get_model_version("demo", str(model.version))
    assert version.run_id == run.run_id
    (output,) = client.get_run(run.run_id).outputs.model_outputs
    assert version.source.endswith(output.model_id)
    logged = client.get_logged_model(output.model_id)
    assert logged.status.name == "READY"
    assert {metric.key: metric.value for metric in logged.metrics} == {"holdout_neg_log_loss": -2.2}
    assert client.get_run(run.run_id).data.metrics == {"holdout_neg_log_loss": -2.2}


def test_requirements_are_pinned_to_what_is_installed(client):
    _, model, _ = register(make_pipeline(MaxAbsScaler(), boosted()))
    lines = Path(mlflow.pyfunc.get_model_dependencies(model.uri)).read_text().split()
    assert f"xgboost=={xgboost.__version__}" in lines
    assert all("==" in line for line in lines)


@pytest.mark.parametrize("name", ["", "  ", "a/b", "a:b", "..", "x" * 300])
def test_a_name_that_the_registry_would_refuse_is_refused_beforehand(name):
    with pytest.raises(TrackingError, match=r"is no name for a registered model: expected") as refused:
        check_model_name(name)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["demographics", "my model", "группы"])
def test_what_the_registry_takes_is_let_through(client, name):
    check_model_name(name)
    assert client.create_registered_model(name).name == name


def test_a_refusal_of_the_registry_is_one_line(client, monkeypatch):
    def refuse(*_, **__):
        raise MlflowException("PERMISSION_DENIED: no rights on 'demo'\nmore")

    monkeypatch.setattr(MlflowClient, "create_model_version", refuse)
    with pytest.raises(TrackingError, match=r"^MLflow refused to register the model as 'demo': PERMISSION_DENIED"):
        register(DummyClassifier())


def test_a_model_that_could_not_be_stored_whole_is_never_ready(client, monkeypatch):
    def refuse(*_, **__):
        raise OSError("no space left on device")

    monkeypatch.setattr(MlflowClient, "log_model_artifacts", refuse)
    with pytest.raises(TrackingError, match="MLflow refused to log the model: no space left on device"):
        register(DummyClassifier())
    (model,) = client.search_logged_models([client.get_experiment_by_name("tests").experiment_id])
    assert model.status.name == "FAILED"


def test_it_is_registered_over_a_server(server_client):
    estimator = boosted()
    _, _, loaded = register(estimator)
    np.testing.assert_allclose(loaded.predict(SPARSE).to_numpy(), estimator.predict_proba(SPARSE), rtol=1e-6)
