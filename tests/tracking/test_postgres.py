"""Sweeps of separate processes over a server with PostgreSQL behind it, both of which go down meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.services import postgres
from tests.services.mlflow_server import MlflowServer
from tests.services.postgres import Postgres
from tests.services.startup import require
from tests.tracking.conftest import VARIABLES
from tests.tracking.test_outages import STARTERS, wait_for

pytestmark = pytest.mark.disturbs

ROOT = Path(__file__).parents[2]
SWEEPS, CANDIDATES, FOLDS = 3, 25, 2

RECORDERS = f"""
import os, sys, time
from tests.tracking.outcomes import SPEC, outcome
from tracking import EntryRun, SweepRecorder

def sweep(number):
    values = {{(rounds, number): [-rounds - fold / 8 for fold in range({FOLDS})] for rounds in range({CANDIDATES})}}
    result = outcome(SPEC, values)
    with EntryRun.begin("sweep") as run, SweepRecorder(run) as recorder:
        recorder.started(SPEC, len(result.candidates), {FOLDS})
        for scores in result.fold_scores.values():
            time.sleep(0.1)
            recorder.scored(list(scores))
        recorder.ended(result)
        run.log_text("table", "cv_results.csv")
    print(run.run_id, flush=True)

workers = []
for number in range({SWEEPS}):
    if not (worker := os.fork()):
        sweep(number)
        os._exit(0)
    workers.append(worker)
sys.exit(any([os.waitpid(worker, 0)[1] for worker in workers]))
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Postgres]:
    require(postgres.missing())
    with postgres.running() as running:
        yield running


@pytest.fixture
def mlflow_over_postgres(cluster: Postgres, tmp_path: Path) -> Iterator[MlflowServer]:
    server = MlflowServer(tmp_path, cluster.address)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def test_sweeps_at_once_lose_and_double_nothing_when_server_and_database_go_down(cluster, mlflow_over_postgres):
    server = mlflow_over_postgres
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    told = server.folder / "sweeps.log"
    with told.open("w") as file:
        sweeps = subprocess.Popen(
            [sys.executable, "-c", RECORDERS],
            cwd=ROOT,
            env={**environment, "MLFLOW_TRACKING_URI": server.address},
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
        )
    client = MlflowClient(server.address)
    try:
        wait_for(lambda: len(client.search_runs(["0"], "tags.`candidate.key` != ''")) >= SWEEPS)
        cluster.stop(at_once=True)  # the server is there, and has lost its database
        wait_for(lambda: "the tracking server fails" in told.read_text())
        server.kill()
        cluster.start()
        server.start()
        said, _ = sweeps.communicate(timeout=300)
    finally:
        sweeps.kill()
    assert sweeps.returncode == 0
    assert len(said.split()) == SWEEPS
    for parent in said.split():
        assert client.get_run(parent).info.status == "FINISHED"
        children = client.search_runs(["0"], f"tags.`mlflow.parentRunId` = '{parent}'", max_results=1000)
        assert len({child.data.tags["candidate.key"] for child in children}) == CANDIDATES
        assert Counter(child.info.status for child in children) == {"FINISHED": CANDIDATES}
        for child in children[::6]:
            for fold in range(FOLDS):
                score = -int(child.data.params["n_estimators"]) - fold / 8
                history = client.get_metric_history(child.info.run_id, f"split{fold}_test_score")
                assert [metric.value for metric in history] == [score]


def test_a_database_of_ones_own_without_tables_is_made_by_one_of_those_who_start_at_once(cluster, tmp_path):
    """Directly, without a server, which makes its tables before anyone comes."""
    uri = cluster.make_database("fresh")
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    ended = subprocess.run(
        [sys.executable, "-c", STARTERS, "4"],
        cwd=ROOT,
        env={**environment, "MLFLOW_TRACKING_URI": uri},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert len(MlflowClient(uri).search_runs(["0"])) == len(ended.stdout.split()) == 4
