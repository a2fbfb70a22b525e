"""The Spark engine over Spark Connect, on pyspark's own server: what holds on a classic session holds here."""

import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from errors import EngineError
from tests.services import spark_connect as connect_service
from tests.services.spark_cluster import kill, until
from tests.services.spark_connect import ConnectServer
from tests.services.startup import require
from tests.tuning.diaries import diaries, rows, spec
from tests.tuning.memories import JournalMemory
from tuning import Candidate, Fit, open_engine, sweep
from tuning.engines import SparkEngine, choose_engine, stays_here
from tuning.engines.spark import probe, remote

pytestmark = pytest.mark.disturbs


@pytest.fixture(scope="module", autouse=True)
def no_other_spark():
    """No session of another kind, and no word of the environment's."""
    require(connect_service.lacking())
    with pytest.MonkeyPatch.context() as patch:
        for name in ("PYSPARK_PYTHON", "SPARK_REMOTE", "PYSPARK_GATEWAY_PORT"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="module")
def server(no_other_spark, spark_cluster):
    """A server whose executors are on the two Workers."""
    with ConnectServer(spark_cluster.master) as running:
        yield running


@pytest.fixture(scope="module")
def diary(tmp_path_factory):
    """A workload of diaries, and a function that reads their lines."""
    with diaries(tmp_path_factory.mktemp("diaries")) as pair:
        yield pair


@pytest.fixture(scope="module")
def engine(diary, server):
    """An engine that is open on the diaries, for all tests that leave it so."""
    opened = SparkEngine(0, server.address)
    opened.open(diary[0])
    yield opened
    opened.close(cancel=True)


@pytest.fixture
def session(server):
    """A session as a notebook has it before it asks for a sweep."""
    from pyspark.sql.connect.session import SparkSession

    opened = SparkSession.builder.remote(server.address).create()
    yield opened
    opened.stop()


def test_scores_equal_those_of_the_local_engine_and_the_users_session_goes_on(session):
    session.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    with open_engine("local", 2) as local, open_engine("auto") as spark:
        assert (local.name, spark.name) == ("local", "spark")
        on_both = [sweep(spec(), rows(), engine) for engine in (local, spark)]
        assert spark.workers == 2
    assert not any(found.failed for found in on_both)
    np.testing.assert_array_equal(*(found.split_scores() for found in on_both))
    assert session.range(3).count() == 3


def test_results_come_as_each_fit_ends_and_a_worker_keeps_the_data(engine, diary, tmp_path):
    slow = engine.submit(Fit(0, (Candidate({"mood": "slow", "waits": str(tmp_path / "go")}),)))
    quick = [engine.submit(Fit(n % 3, (Candidate({"mood": "slow", "number": n}),))) for n in range(4)]
    for future in quick:
        assert future.result(60)[0].error is None
    assert not slow.done()
    (tmp_path / "go").touch()
    assert slow.result(60)[0].error is None
    places = {(pid, data) for pid, _, mood, data in diary[1]() if mood == "slow"}
    assert len(places) == len({pid for pid, _ in places}) <= 2


def test_what_a_fit_does_is_its_own_affair(engine, diary):
    moods = ["raise", "die", "calm"]
    raised, died, calm = (engine.submit(Fit(0, (Candidate({"mood": mood}),))) for mood in moods)
    assert raised.result(60)[0].error == "ValueError: a mood of two lines"
    assert died.result(120)[0].error.startswith("the fit ended its worker")
    assert "\n" not in died.result()[0].error
    assert calm.result(60)[0].error is None
    assert [line[2] for line in diary[1]()].count("raise") == 1


def test_an_executor_that_is_killed_costs_no_result(engine, diary, spark_cluster):
    def long_fits():
        return [int(pid) for pid, _, mood, _ in diary[1]() if mood == "long"]

    moods = [{"mood": "long", "seconds": 5.0}, *({"number": n} for n in range(3))]
    futures = [engine.submit(Fit(n % 3, (Candidate(mood),))) for n, mood in enumerate(moods)]
    [busy] = until(long_fits, "the long fit did not begin")
    kill(spark_cluster.executor_of(busy))
    assert [future.result(120)[0].error for future in futures] == [None] * 4
    assert len(long_fits()) == 2


def test_a_session_that_the_server_knows_no_more_ends_the_sweep_and_the_same_sweep_goes_on(server, tmp_path):
    """As it is with a server that has been started again."""

    class Fellow:
        started = ended = staticmethod(lambda *_: None)

        def scored(self, _):
            engine._cluster._own.client.release_session()

    asked = spec(estimator="sklearn.linear_model.LogisticRegression", fixed={}, grid={"C": [0.1, 1.0, 10.0]})
    lost = pytest.raises(EngineError, match=r"Spark is lost: .*(SESSION|session)")
    with JournalMemory(tmp_path) as memory, open_engine("spark", 1, server.address) as engine, lost:
        sweep(asked, rows(), engine, [Fellow()], memory)
    done = len(memory.kept)
    assert 0 < done < 9
    with JournalMemory(tmp_path) as memory, open_engine("local", 1) as engine:
        assert not sweep(asked, rows(), engine, [], memory).failed
    assert len(memory.kept) == 9 - done


def test_cancelling_leaves_no_executor_busy(engine, diary):
    futures = [
        engine.submit(Fit(n % 3, (Candidate({"mood": "cut", "seconds": 600.0, "number": n}),))) for n in range(5)
    ]
    cut = until(lambda: [line for line in diary[1]() if line[2] == "cut"][1:], "the fits did not begin") and diary[1]()
    busy = [int(pid) for pid, _, mood, _ in cut if mood == "cut"]
    engine.close(cancel=True)
    assert all(future.cancelled() or future.exception() is not None for future in futures)
    until(lambda: not [pid for pid in busy if Path(f"/proc/{pid}").exists()], "a worker still sleeps", seconds=5)


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A Python without any package."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return str(folder / "bin" / "python")


def refusal(server, workload):
    engine = SparkEngine(0, server.address)
    with pytest.raises(EngineError) as raised:
        engine.open(workload)
    engine.close(cancel=True)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_worker_without_a_package_another_python_or_none_is_named(server, diary, bare, monkeypatch):
    monkeypatch.setenv("PYSPARK_PYTHON", bare)
    assert "a worker lacks the package 'pyarrow'" in refusal(server, diary[0])
    monkeypatch.setenv("PYSPARK_PYTHON", "/nowhere/python")
    assert "has no Python at /nowhere/python" in refusal(server, diary[0])
    monkeypatch.delenv("PYSPARK_PYTHON")
    from pyspark.sql.connect import udf

    monkeypatch.setattr(udf, "sys", types.SimpleNamespace(version_info=(3, 12)))  # what the client says of itself
    assert "another version of Python than this process (Python 3.11 there, 3.12 here)" in refusal(server, diary[0])


def test_auto_stays_here_and_says_why_where_a_task_has_shown_that_it_cannot(session, bare):
    session.conf.set("spark.sql.execution.pyspark.python", bare)
    assert choose_engine("auto") == "local"
    said = stays_here("auto")
    assert said.startswith("the fits run on this machine, since Spark Connect is here")
    assert "lacks the package 'pyarrow'" in said
    assert stays_here("local") == ""


def test_auto_stays_here_where_nobody_answers(monkeypatch):
    monkeypatch.setenv("SPARK_REMOTE", "sc://127.0.0.1:1/;token=hidden")
    monkeypatch.setattr(probe, "_known", {})
    assert choose_engine("auto") == "local"
    assert "sc://127.0.0.1:1 does not answer (Connection refused)" in stays_here("auto")
    assert "hidden" not in stays_here("auto")
    with pytest.raises(EngineError, match="unset SPARK_REMOTE"), open_engine("spark", 0, "local[2]"):
        pass


def test_the_address_is_shown_without_what_signs_in():
    assert remote.place("sc://host:443/;token=dapi123;x-databricks-cluster-id=1") == "sc://host:443"
    assert remote.place("sc://user:secret@host") == "sc://host"
