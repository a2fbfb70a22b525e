"""Which Spark is taken, and what a person reads where there is none. No test here starts one."""

import socket
import sys
import threading
import types

import pytest

from errors import EngineError, GridfoldError
from tests.services import spark_cluster as spark_service
from tests.services.startup import free_port
from tuning.engines import check_engine
from tuning.engines.spark import failures, patience, session


@pytest.fixture
def no_session(spark_here, monkeypatch):
    """No session, and nothing in the environment that says where Spark is."""
    monkeypatch.setattr(session, "existing", lambda: None)
    for name in ("PYSPARK_GATEWAY_PORT", "SPARK_REMOTE", "JAVA_HOME"):
        monkeypatch.delenv(name, raising=False)


def test_auto_is_local_unless_there_is_a_master_or_spark_submit(no_session, monkeypatch):
    assert not session.is_wanted(None)
    assert not session.is_wanted("")
    assert session.is_wanted("local[2]")
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1234")
    assert session.is_wanted(None)


def test_pyspark_is_not_imported_to_find_out(monkeypatch):
    monkeypatch.delitem(sys.modules, "pyspark", raising=False)
    session.is_wanted(None)
    assert "pyspark" not in sys.modules


def test_pyspark_is_named_with_its_extra_where_it_is_missing(monkeypatch):
    monkeypatch.setattr(session, "find_spec", lambda name: None)
    with pytest.raises(EngineError, match=r"pip install -e '\.\[spark\]'"):
        check_engine("spark")


def test_java_is_missing(no_session, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(EngineError, match="there is no java on PATH"):
        check_engine("spark", "local[1]")
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    with pytest.raises(EngineError, match="JAVA_HOME is /nowhere"):
        check_engine("spark", "local[1]")


@pytest.mark.parametrize("master", ["sparkle://host:7077", "host:7077", "local[2", "7077"])
def test_a_master_of_an_unknown_kind(no_session, master):
    with pytest.raises(EngineError, match=r"is not the address of a Spark master. Write spark://HOST:PORT"):
        check_engine("spark", master)


def test_a_master_that_does_not_answer(no_session):
    with pytest.raises(EngineError, match=r"does not answer \(Connection refused\)"):
        check_engine("auto", f"spark://127.0.0.1:{free_port()}")


def test_a_second_master_that_answers_is_enough(no_session):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        check_engine("spark", f"spark://127.0.0.1:{free_port()},127.0.0.1:{listening.getsockname()[1]}")


def test_a_master_without_a_port(no_session):
    with pytest.raises(EngineError, match="has no port"):
        check_engine("spark", "spark://host")


def test_a_master_beside_spark_connect_is_refused_with_what_to_leave_out(no_session, monkeypatch):
    monkeypatch.setenv("SPARK_REMOTE", "sc://127.0.0.1:1")
    with pytest.raises(EngineError, match=r"SPARK_REMOTE is set.* Leave master=spark://host:7077 out, or unset"):
        check_engine("spark", "spark://host:7077")
    connected = type("SparkSession", (), {"__module__": "pyspark.sql.connect.session"})()
    monkeypatch.setattr(session, "existing", lambda: connected)
    with pytest.raises(EngineError, match="a session of Spark Connect is open here"):
        check_engine("auto", "spark://host:7077")
    check_engine("spark")
    with pytest.raises(EngineError, match="features cannot run over Spark Connect"):
        session.refuse_connect(None, "features")


@pytest.mark.parametrize("master", ["sc://", "sc://:15002", "sc://host:port"])
def test_an_address_of_spark_connect_without_a_host_or_with_a_wrong_port(no_session, master):
    with pytest.raises(EngineError, match=r"is not the address of a Spark Connect server. Write sc://HOST:PORT"):
        check_engine("spark", master)


def test_a_client_of_spark_connect_without_its_packages_is_named_with_its_extra(no_session, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark.sql.connect.session", None)
    with pytest.raises(EngineError, match=r"cannot be imported .*pip install -e '\.\[connect\]'"):
        check_engine("spark", "sc://127.0.0.1:1")


def test_the_local_engine_has_no_master():
    with pytest.raises(GridfoldError, match="engine local has none"):
        check_engine("local", "local[2]")


def test_a_start_that_hangs_ends_in_time():
    never = threading.Event()
    with pytest.raises(EngineError, match="too late"):
        patience.within(0.2, never.wait, "too late")
    never.set()


PYTHON_3_9_TO_3_11 = """Job aborted due to stage failure: Task 0 in stage 0.0 failed 4 times, most recent failure: Lost
task 0.3 in stage 0.0 (TID 3) (10.0.0.7 executor 1): org.apache.spark.api.python.PythonException: Traceback
pyspark.errors.exceptions.base.PySparkRuntimeError: [PYTHON_VERSION_MISMATCH] Python in worker has different version
(3, 9) than that in driver: 3.11, PySpark cannot run with different minor versions."""


def test_another_python_on_a_worker_is_named():
    said = str(failures.explain(Exception(PYTHON_3_9_TO_3_11.replace("\n", " ")), False))
    assert said.startswith("worker 10.0.0.7 runs another version of Python than this process")
    assert "PYSPARK_PYTHON" in said


def test_an_application_that_has_ended_is_an_engine_lost():
    error = failures.explain(
        Exception("SparkContext was shut down"), failures.stopped(types.SimpleNamespace(_jsc=None))
    )
    assert isinstance(error, EngineError)
    assert str(error) == "Spark is lost: SparkContext was shut down"


def alive():
    stopped = types.SimpleNamespace(isStopped=lambda: False)
    return types.SimpleNamespace(_jsc=types.SimpleNamespace(sc=lambda: stopped))


def test_the_service_says_what_is_lacking(monkeypatch):
    monkeypatch.setattr(spark_service, "find_spec", lambda name: None)
    assert "pyspark is not installed" in spark_service.lacking()
