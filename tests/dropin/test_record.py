"""A search in a program that uses MLflow leaves a parent and a child for each candidate, ended as the search was."""

import mlflow
import numpy as np
import pytest
from mlflow.tracking import fluent
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV as SklearnGridSearchCV
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier

from gridfold import GridSearchCV, sweep

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
y = (X[:, 0] > 0).astype(int)
DEPTHS = {"max_depth": [1, 2]}
SPEC = {"estimator": "sklearn.tree.DecisionTreeClassifier", "scoring": "accuracy", "cv": {"folds": 2}}


class Stops(ClassifierMixin, BaseEstimator):
    """Ends the search from within."""

    def __init__(self, with_what=None):
        self.with_what = with_what

    def fit(self, X, y):
        if self.with_what is not None:
            raise self.with_what
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.zeros(len(X), int)


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store of the test's own, which nobody has yet told MLflow of."""
    for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setattr(fluent, "_active_experiment_id", None)  # which another test may have set for the process
    monkeypatch.chdir(tmp_path)
    return mlflow.MlflowClient(uri)


def runs(store):
    """The runs of the store: parents, and the children of the first of them."""
    found = store.search_runs(["0"])
    parents = [run for run in found if "mlflow.parentRunId" not in run.data.tags]
    return parents, [run for run in found if run.data.tags.get("mlflow.parentRunId") == parents[0].info.run_id]


def test_a_parent_and_a_child_for_each_candidate(store):
    search = GridSearchCV(DecisionTreeClassifier(random_state=0), DEPTHS, cv=3, cores=1).fit(X, y)
    [parent], children = runs(store)
    assert parent.info.status == "FINISHED"
    assert parent.data.metrics["best_score"] == search.best_score_
    assert parent.data.params["max_depth"] == str(search.best_params_["max_depth"])
    assert sorted(child.data.metrics["mean_test_score"] for child in children) == sorted(
        search.cv_results_["mean_test_score"]
    )
    assert {child.info.status for child in children} == {"FINISHED"}
    assert [file.path for file in store.list_artifacts(parent.info.run_id)] == ["cv_results.csv"]


def test_the_run_that_is_open_is_the_parent_and_stays_open(store):
    with mlflow.start_run() as mine:
        GridSearchCV(DecisionTreeClassifier(), DEPTHS, cv=3, cores=1, scoring=["accuracy", "f1"], refit="f1").fit(X, y)
        assert store.get_run(mine.info.run_id).info.status == "RUNNING"
        assert mlflow.active_run().info.run_id == mine.info.run_id
    [parent], children = runs(store)
    assert parent.info.run_id == mine.info.run_id
    assert all({"mean_test_f1", "mean_test_accuracy"} <= set(child.data.metrics) for child in children)
    assert "best_f1" in parent.data.metrics


@pytest.mark.parametrize(("what", "status"), [(KeyboardInterrupt(), "KILLED"), (ValueError("no"), "FAILED")])
def test_runs_end_with_a_search_that_is_broken_off(store, what, status):
    search = GridSearchCV(Stops(), {"with_what": [None, what]}, cv=3, cores=1, error_score="raise")
    with pytest.raises(type(what)):
        search.fit(X, y)
    [parent], children = runs(store)
    assert parent.info.status == status
    assert [child.info.status for child in children] == ["FINISHED"]


def test_nothing_is_recorded_where_that_is_not_wanted(store):
    GridSearchCV(DecisionTreeClassifier(), DEPTHS, cores=1, track=False).fit(X, y)
    assert store.search_runs(["0"]) == []


def test_a_store_that_cannot_be_had_does_not_end_the_search(store, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////dev/null/mlflow.db")
    with pytest.warns(UserWarning, match="The search goes on without its record"):
        search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=3, cores=1).fit(X, y)
    assert hasattr(search, "best_estimator_")


def test_a_store_that_goes_away_costs_a_sweep_its_record_and_not_its_result(store, monkeypatch):
    monkeypatch.setattr("gridfold.tracking.searches._WAIT", 0.0)
    made = []

    def first_only(self, *given, **named):
        made.append(create(self, *given, **named) if not made else None)
        if made[-1] is None:
            raise ConnectionError("Connection refused")
        return made[-1]

    create = mlflow.MlflowClient.create_run
    monkeypatch.setattr(mlflow.MlflowClient, "create_run", first_only)
    spec = {
        "estimator": "xgboost.XGBClassifier",
        "fixed": {"n_estimators": 2},
        "grid": DEPTHS,
        "scoring": "accuracy",
        "cv": {"folds": 3},
    }
    with pytest.warns(UserWarning, match="The search goes on without its record. the tracking store does not answer"):
        found = sweep(spec, X, y, cores=1)
    assert len(found.cv_results_) == 2


def test_a_sweep_of_a_spec_is_one_call(store):
    spec = {
        "estimator": "sklearn.tree.DecisionTreeClassifier",
        "fixed": {"random_state": 0},
        "grid": DEPTHS,
        "scoring": "accuracy",
        "cv": {"folds": 3},
    }
    found = sweep(spec, X, np.array(["no", "yes"])[y], cores=1)
    assert set(found.best_estimator_.predict(X)) <= {"no", "yes"}
    assert len(found.cv_results_) == 2
    assert found.best_params_ in found.cv_results_["params"].tolist()
    [parent], children = runs(store)
    assert parent.data.metrics["best_accuracy"] == found.best_score_
    assert len(children) == 2
    assert {"plots", "report.html"} <= {kept.path for kept in store.list_artifacts(parent.info.run_id)}


def test_a_sweep_of_a_spec_takes_several_columns_of_classes(store):
    both = np.column_stack([y, (X[:, 1] > 0).astype(int)])
    estimator = "sklearn.tree.DecisionTreeClassifier"
    spec = {"estimator": estimator, "fixed": {"random_state": 0}, "grid": DEPTHS, "scoring": "f1_macro"}
    found = sweep({**spec, "cv": {"folds": 3, "shuffle": False}}, X, both, cores=1)
    peer = SklearnGridSearchCV(DecisionTreeClassifier(random_state=0), DEPTHS, scoring="f1_macro", cv=3).fit(X, both)
    assert np.array_equal(found.cv_results_["mean_test_score"], peer.cv_results_["mean_test_score"])
    assert np.array_equal(found.best_estimator_.predict(X), peer.predict(X))


@pytest.fixture
def autologging(store):
    """MLflow's own logging of everything, for one test."""
    for library in (mlflow.sklearn, mlflow.xgboost):
        library.autolog(silent=True, log_models=False)
    yield
    for library in (mlflow.sklearn, mlflow.xgboost):
        library.autolog(disable=True, silent=True)


def test_autologging_adds_neither_runs_nor_params_and_is_on_again_after_it(store, autologging, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(None)
    monkeypatch.setattr("mlflow.tracking._tracking_service.utils._get_default_tracking_uri", lambda: store.tracking_uri)
    search = GridSearchCV(XGBClassifier(n_estimators=2, n_jobs=1), DEPTHS, cv=2, cores=1).fit(X, y)
    [parent], children = runs(store)
    assert [len(children), parent.data.params] == [2, {"max_depth": str(search.best_params_["max_depth"])}]
    with mlflow.start_run() as mine:
        sweep({**SPEC, "grid": DEPTHS}, X, y, cores=1)
        GridSearchCV(DecisionTreeClassifier(), DEPTHS, cv=2, cores=1, track=False).fit(X, y)
    assert len(store.search_runs(["0"])) == 3 + 1 + 2
    assert "criterion" not in store.get_run(mine.info.run_id).data.params
    DecisionTreeClassifier().fit(X, y)
    newest = store.search_runs(["0"])[0]
    assert newest.data.tags["mlflow.autologging"] == "sklearn"
