"""A sweep on a Spark cluster as its user meets it: one more parameter, and the same table."""

import csv
import os
import signal
import subprocess
import sys
import time

import pytest

from entrypoints.featurize import featurize
from entrypoints.sweep import sweep
from features import FeatureMatrix
from tests.entrypoints.conftest import ROOT, SMALL
from tests.services import spark_cluster as spark_service
from tests.services.spark_cluster import SparkCluster, until

pytestmark = pytest.mark.disturbs

ENDLESS = """
estimator: xgboost.XGBClassifier
grid: {n_estimators: [1, 1000000], max_depth: [1], grow_policy: [sideways, depthwise]}
scoring: neg_log_loss
cv: {folds: 2}
"""


@pytest.fixture(scope="module")
def cluster():
    reason = spark_service.lacking()
    if reason and os.environ.get("CI"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    with SparkCluster(n_workers=1) as started:
        yield started


@pytest.fixture
def start():
    """Start a sweep in a process of its own, as ``mlflow run`` does."""
    started = []

    def begin(space, *arguments):
        command = [sys.executable, "-m", "entrypoints.sweep", *SMALL, "--space", space, *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(command, env=environment, **pipes))
        return started[-1]

    yield begin
    for process in started:
        process.kill()


def table_of(workplace, run):
    path = workplace.client.download_artifacts(run.info.run_id, "cv_results.csv", str(workplace.folder))
    with open(path) as file:
        rows = list(csv.DictReader(file))
    return [{name: cell for name, cell in row.items() if not name.endswith("_time")} for row in rows]


def test_the_same_word_gives_the_same_table(workplace, cluster, start):
    assert sweep([*SMALL, "--space", workplace.space, "--reuse", "never", "--engine", "local"]) == 0
    here = table_of(workplace, workplace.newest_sweep())
    process = start(workplace.space, "--reuse", "never", "--engine", "spark", "--master", cluster.master)
    out, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert "demographics version" in out
    assert len(here) == 4
    assert table_of(workplace, workplace.newest_sweep()) == here


def test_ctrl_c_cancels_the_jobs_and_ends_the_runs_killed(workplace, cluster, start):
    space = workplace.folder / "endless.yaml"
    space.write_text(ENDLESS)
    process = start(str(space), "--master", cluster.master)
    until(lambda: ended_children(workplace), "no candidate has ended", seconds=180)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGINT
    assert said.splitlines()[-1] == "interrupted (SIGINT)."
    runs = [workplace.newest_sweep(), *workplace.children(workplace.newest_sweep().info.run_id)]
    assert "RUNNING" not in {run.info.status for run in runs}
    assert runs[0].info.status == "KILLED"
    until(lambda: cluster.state()["coresused"] == 0, "an executor is still busy", seconds=20)


def ended_children(workplace):
    try:
        parent = workplace.newest_sweep().info.run_id
    except StopIteration:
        return []
    return [run for run in workplace.children(parent) if run.info.status == "FAILED"]


def test_featurize_on_spark_makes_the_matrix_that_one_machine_makes(workplace, cluster, synthetic_folder, monkeypatch):
    asked = ["--data", str(synthetic_folder), "--feature_sets", "all", "--holdout", "0"]
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "--conf spark.sql.shuffle.partitions=3 pyspark-shell")  # 200 otherwise
    assert featurize(asked) == 0
    command = [sys.executable, "-m", "entrypoints.featurize", *asked, "--engine", "spark", "--master", cluster.master]
    spark = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert spark.returncode == 0, spark.stderr
    assert ": made on Spark in " in spark.stdout
    ours, theirs = (FeatureMatrix.load(path) for path in sorted((workplace.folder / "cache" / "features").iterdir()))
    assert ours.columns.equals(theirs.columns)
    assert ours.rows.equals(theirs.rows)
    assert (ours.X != theirs.X).nnz == 0
