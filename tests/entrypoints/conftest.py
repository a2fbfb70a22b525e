"""A tracking store, a cache and a working folder of one test's own."""

import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest
from mlflow import MlflowClient

ROOT = Path(__file__).parents[2]

SMALL = ["--scale", "0.005", "--feature_sets", "brand_model,weekday_hour"]
SPACE = """
estimator: xgboost.XGBClassifier
fixed: {random_state: 0, objective: "multi:softprob", max_bin: 16, learning_rate: 0.3}
grid: {n_estimators: [2, 3], max_depth: [1, 2]}
scoring: neg_log_loss
cv: {folds: 2, shuffle: true, seed: 0}
search: {strategy: grid}
"""


@dataclass
class Workplace:
    """Where one test's entry points run."""

    folder: Path
    client: MlflowClient
    experiment: str

    @property
    def space(self) -> str:
        """A spec that takes a second."""
        path = self.folder / "space.yaml"
        path.write_text(SPACE)
        return str(path)

    def runs(self, name: str | None = None):
        """Return the runs, newest first; of the step `name`, if one is given."""
        return self.client.search_runs([self.experiment], f"tags.`step.name` = '{name}'" if name else "")

    def newest_sweep(self):
        """Return the newest run that is neither a step nor a candidate."""
        aside = {"step.name", "mlflow.parentRunId"}
        return next(run for run in self.runs() if not aside & run.data.tags.keys())

    def children(self, run_id: str):
        """Return the runs under the run."""
        return self.client.search_runs([self.experiment], f"tags.`mlflow.parentRunId` = '{run_id}'")


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """A tracking store that is not used itself: making one takes seconds, copying it nothing."""
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def workplace(tmp_path, monkeypatch, empty_store):
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = MlflowClient(uri)
    experiment = client.create_experiment("test", artifact_location=str(tmp_path / "artifacts"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "test")
    monkeypatch.setenv("SWEEP_CACHE", str(tmp_path / "cache"))
    for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID"):
        monkeypatch.delenv(name, raising=False)
    return Workplace(tmp_path, client, experiment)


@pytest.fixture
def heard():
    """SIGINT as a terminal has it: a process that was begun in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
