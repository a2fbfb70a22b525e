"""A sweep whose store goes away and stays away loses nothing: what it could not record is recorded later."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from mlflow import MlflowClient

from entrypoints.sweep import sweep
from entrypoints.sync import sync
from tests.services import faulty_proxy
from tests.services.faulty_proxy import REFUSE, FaultyProxy
from tracking import patience

pytestmark = pytest.mark.disturbs

ROOT = Path(__file__).parents[2]
SPEC = {
    "estimator": "xgboost.XGBClassifier",
    "fixed": {"random_state": 0, "n_estimators": 2, "max_bin": 8},
    "grid": {"max_depth": [1, 2, 3]},
    "scoring": "neg_log_loss",
    "cv": {"folds": 2, "seed": 0},
}


@pytest.fixture
def proxy(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    """A proxy before a server, and a table and a spec to sweep, in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWEEP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", tmp_path.name)
    for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", *patience._OURS):
        monkeypatch.delenv(name, raising=False)
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(draw.normal(size=(60, 2)), columns=["a", "b"])
    frame["y"] = np.where(frame["a"] + draw.normal(size=60) > 0, "yes", "no")
    frame.to_csv("mine.csv", index=False)
    Path("space.yaml").write_text(yaml.safe_dump(SPEC))
    with faulty_proxy.running(server) as running:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", running.address)
        yield running


def away_from_the_first_candidate_on(proxy: FaultyProxy) -> None:
    def wrong(method: str, path: str, number: int) -> str | None:
        made = proxy.count("POST", "runs/create")  # the sweep's own run is the first
        return REFUSE if made >= 1 and (path.endswith("runs/create") or proxy.asked[-1][2] == REFUSE) else None

    proxy.wrong = wrong


def swept() -> int:
    given = ["--features=mine.csv", "--target=y", "--space=space.yaml", "--record_wait=0", "--cores=1"]
    return sweep([*given, "--model_name=kept"])


def test_what_a_sweep_could_not_record_is_recorded_by_sync(proxy, server, tmp_path, capsys):
    away_from_the_first_candidate_on(proxy)
    assert swept() == 1
    said = capsys.readouterr().err.splitlines()[-1]
    [folder] = (tmp_path / "cache" / "unrecorded").iterdir()
    assert said.startswith("the tracking server does not answer (")
    assert said.endswith(
        f"kept in {folder}: mlflow run . -e sync --env-manager local records it; so does the next sweep."
    )
    [table] = (tmp_path / "cache" / "results").glob("*/cv_results.csv")
    store = MlflowClient(server)
    experiment = store.get_experiment_by_name(tmp_path.name).experiment_id
    [sweeps_own] = store.search_runs([experiment])
    assert sweeps_own.info.status == "RUNNING"
    assert not store.search_model_versions("name = 'kept'")

    proxy.wrong = None
    later = subprocess.run([sys.executable, "-m", "entrypoints.sync"], cwd=ROOT, capture_output=True, text=True)
    assert (later.returncode, later.stderr) == (0, "")
    assert later.stdout == f"sync     run {folder.name} now holds all that was kept for it\n"
    own = store.get_run(sweeps_own.info.run_id)
    assert own.info.status == "FINISHED"
    assert own.data.metrics["candidates"] == 3
    kept = {item.path for item in store.list_artifacts(own.info.run_id)}
    assert {"cv_results.csv", "sweeping_results.txt", "plots"} <= kept
    recorded = Path(store.download_artifacts(own.info.run_id, "cv_results.csv", str(tmp_path)))
    assert recorded.read_text() == table.read_text()
    children = store.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{own.info.run_id}'")
    assert [child.info.status for child in children] == ["FINISHED"] * 3
    means = pd.read_csv(table)["mean_test_score"].tolist()
    assert sorted(child.data.metrics["mean_test_score"] for child in children) == sorted(means)
    assert store.get_model_version_by_alias("kept", "challenger").run_id == own.info.run_id

    assert sync([]) == 0
    assert capsys.readouterr().out == "sync     nothing is kept for this store\n"


def test_what_is_of_another_store_stays_where_it_is(proxy, tmp_path, capsys):
    folder = tmp_path / "cache" / "unrecorded" / ("0" * 32)
    folder.mkdir(parents=True)
    (folder / "requests.jsonl").write_text('{"method": "set_tag", "given": ["x", "a", "b"], "named": {}, "made": {}}\n')
    assert sync([]) == 0
    assert "is of another store" in capsys.readouterr().out
    assert (folder / "requests.jsonl").exists()
