"""What a store's failures mean, of every program that a store is made of."""

from __future__ import annotations

import errno
import importlib
import sqlite3

import pytest
import requests
import sqlalchemy
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException, RestException
from mlflow.protos.databricks_pb2 import BAD_REQUEST, INVALID_PARAMETER_VALUE, RESOURCE_DOES_NOT_EXIST

from errors import TrackingError
from tracking import store
from tracking.faults import fault_of


def test_what_is_no_stores_is_none():
    assert fault_of(ZeroDivisionError()) is None
    assert fault_of(ImportError("No module named 'frobnicate'", name="frobnicate")) is None


def wrapped(error: BaseException) -> MlflowException:
    """An error as MLflow's client hands it on: in its words, raised while handling it."""
    try:
        try:
            raise error
        except Exception as caught:
            raise MlflowException(f"API request to http://h failed with exception {caught}")  # noqa: B904
    except MlflowException as ours:
        return ours


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (wrapped(requests.ConnectionError("[Errno 111] Connection refused")), "does not answer (connection refused)"),
        (wrapped(requests.ReadTimeout("read timed out")), "does not answer (timed out)"),
        (wrapped(requests.exceptions.RetryError("too many 503 error responses")), "fails (503)"),
        (wrapped(requests.exceptions.RetryError("too many 429 error responses")), "asks for fewer requests (429)"),
        (MlflowException("failed with error code 403 != 200"), "refuses the credentials (403)"),
        (RestException({"error_code": "UNAUTHENTICATED", "message": "no"}), "refuses the credentials (401)"),
        (RestException({"error_code": "INTERNAL_ERROR", "message": "no"}), "fails (500)"),
        (MlflowException("the response body was not in a valid JSON format."), "gives answers that cannot be read"),
        (sqlalchemy.exc.OperationalError("", {}, sqlite3.OperationalError("database is locked")), "is locked by"),
        (sqlalchemy.exc.InterfaceError("", {}, Exception("connection already closed")), "has lost its database"),
        (MlflowException("(psycopg2.OperationalError) starting up", BAD_REQUEST), "has lost its database"),
        (OSError(errno.ENOSPC, "No space left on device"), "has no space left"),
        (sqlalchemy.exc.OperationalError("", {}, Exception("database or disk is full")), "has no space left"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_may_pass_is_told_by_what_goes_on(error, said):
    fault = fault_of(error)
    assert fault.passes
    assert fault.said.startswith(said)


@pytest.mark.parametrize(
    "error",
    [
        MlflowException("no such param", INVALID_PARAMETER_VALUE),
        MlflowException("Run with id=x not found", RESOURCE_DOES_NOT_EXIST),
        PermissionError(errno.EACCES, "Permission denied"),
        sqlalchemy.exc.OperationalError("", {}, Exception("attempt to write a readonly database")),
        sqlalchemy.exc.OperationalError("", {}, Exception('password authentication failed for user "me"')),
        wrapped(requests.exceptions.InvalidURL("no host")),
        requests.HTTPError("404 Client Error: Not Found", response=requests.Response()),
    ],
    ids=lambda error: str(error)[:40],
)
def test_what_will_not_pass_is_not_waited_for(error):
    assert not fault_of(error).passes


def line(error: BaseException) -> str:
    with pytest.raises(TrackingError) as refused, store.refusals("store x.txt"):
        raise error
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_advice_is_given_only_where_it_is_the_cure():
    assert line(MlflowException("Run x is deleted", INVALID_PARAMETER_VALUE)).endswith(": Run x is deleted.")
    assert "MLFLOW_TRACKING_URI" in line(wrapped(requests.ConnectionError("Connection refused")))
    assert line(OSError(errno.ENOSPC, "No space left on device")).endswith("Free some space on its disk.")
    assert "MLFLOW_TRACKING_USERNAME" in line(MlflowException("failed with error code 401 != 200"))


def absent(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return True
    return False


@pytest.mark.parametrize(
    ("uri", "module", "package"),
    [
        ("mysql+pymysql://u:p@h/d", "pymysql", "pymysql"),
        ("mssql+pyodbc://u:p@h/d", "pyodbc", "pyodbc"),
        ("mysql://u:p@h/d", "MySQLdb", "mysqlclient"),
    ],
)
def test_a_missing_driver_is_named_with_what_installs_it(monkeypatch, uri, module, package):
    if not absent(module):
        pytest.skip(f"{module} is installed")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(TrackingError, match=rf"Install it where this runs: pip install {package}\.$"):
        store.connect()


def test_a_missing_driver_of_an_artifact_store_too(client):
    if not absent("boto3"):
        pytest.skip("boto3 is installed")
    experiment = client.create_experiment("far", artifact_location="s3://bucket/artifacts")
    run = client.create_run(experiment)
    with pytest.raises(TrackingError, match=r"pip install boto3\.$"), store.refusals("store x.txt"):
        client.log_text(run.info.run_id, "x", "x.txt")


def test_a_folder_is_no_database_and_is_refused_at_once(monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}")
    with pytest.raises(TrackingError, match=r"unable to open database file\. Check MLFLOW_TRACKING_URI"):
        store.connect()


def test_a_file_that_is_no_database_is_refused_at_once(monkeypatch, tmp_path):
    (tmp_path / "mlflow.db").write_text("not a database " * 100)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    with pytest.raises(TrackingError, match=r"file is not a database\. Check MLFLOW_TRACKING_URI"):
        store.connect()


def test_the_client_still_is_mlflows(client):
    assert isinstance(client._client, MlflowClient)
