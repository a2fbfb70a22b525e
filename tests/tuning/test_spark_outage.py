"""A standalone cluster that is gone for good ends the sweep, and one that is only short of Workers is waited for."""

import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.services.spark_cluster import SparkCluster
from tuning.engines.spark.outage import Outage

ROOT = Path(__file__).parents[2]
DRIVER = """
    import sys
    from pathlib import Path
    from tests.tuning.diaries import diaries
    from tuning import Candidate, Fit
    from tuning.engines import SparkEngine
    from tuning.engines.spark import engine, outage

    engine._SECONDS_BETWEEN_LOOKS, outage._ENDS_AFTER = 0.5, 1.0
    with diaries(Path(sys.argv[1])) as (workload, _):
        spark = SparkEngine(1, sys.argv[2])
        spark.open(workload)
        futures = [spark.submit(Fit(n % 3, (Candidate({"seconds": 0.5, "number": n}),))) for n in range(1000)]
        try:
            for future in futures:
                future.result()
                print("scored", flush=True)
        finally:
            spark.close(cancel=True)
"""


@pytest.fixture
def master():
    """A port that answers, as a Master's does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def outage(master, executors, monkeypatch):
    monkeypatch.setattr("tuning.engines.spark.outage._ENDS_AFTER", 0.0)
    return Outage(f"spark://127.0.0.1:{master.getsockname()[1]}", lambda: executors[0])


def test_without_workers_the_sweep_waits_for_as_long_as_the_master_is_there(master, monkeypatch):
    seen = outage(master, [0], monkeypatch)
    assert [seen.is_over() for _ in range(3)] == ["", "", ""]


def test_without_a_master_the_sweep_goes_on_for_as_long_as_there_are_executors(master, monkeypatch):
    executors = [2]
    seen = outage(master, executors, monkeypatch)
    master.close()
    assert seen.is_over() == ""
    executors[0] = 0
    assert seen.is_over().startswith("Spark is lost: the Master at spark://127.0.0.1:")


def test_a_new_master_at_the_old_address_knows_nothing_of_us(master, monkeypatch):
    executors = [2]
    seen = outage(master, executors, monkeypatch)
    port = master.getsockname()[1]
    master.close()
    assert seen.is_over() == ""
    with socket.create_server(("127.0.0.1", port)):
        executors[0] = 0
        assert seen.is_over() != ""


def test_of_other_kinds_of_masters_nothing_is_known():
    assert Outage("yarn", lambda: 0).is_over() == ""


def test_fits_go_on_without_the_master_and_end_with_the_last_executor(spark_here, tmp_path):
    with SparkCluster(n_workers=1) as cluster:
        driver = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(DRIVER), str(tmp_path), cluster.master],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert driver.stdout.readline() == "scored\n", driver.stderr.read()
        cluster.lose_master()
        assert [driver.stdout.readline() for _ in range(4)] == ["scored\n"] * 4
        cluster.lose_worker()
        _, said = driver.communicate(timeout=90)
        assert said.rstrip().endswith(
            f"errors.EngineError: Spark is lost: the Master at {cluster.master} was gone, and so is the last executor. "
            "Start the cluster again; the same command goes on from what is done."
        )
