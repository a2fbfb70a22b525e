"""A store that only this machine can open is refused before a machine elsewhere begins to work."""

from pathlib import Path

import pytest

from backends import reach
from backends.failures import BackendError


@pytest.mark.parametrize(
    ("uri", "local"),
    [
        ("sqlite:///mlflow.db", True),
        ("mlruns", True),
        ("/home/me/mlruns", True),
        ("file:///home/me/mlruns", True),
        ("C:\\mlruns", True),
        ("sqlite+pysqlite:///mlflow.db", True),
        ("http://localhost:5000", True),
        ("http://127.0.0.1:5000", True),
        ("http://[::1]:5000", True),
        ("http://10.0.0.4:5000", False),
        ("https://mlflow.example.org", False),
        ("databricks", False),
        ("databricks://profile", False),
        ("postgresql://u:p@db/mlflow", False),
        ("postgresql://u:p@localhost/mlflow", True),
        ("postgresql+psycopg2://u:p@127.0.0.1:5432/mlflow", True),
        ("postgresql:///mlflow", True),
        ("mysql+pymysql://u@[::1]/mlflow", True),
        ("mssql+pyodbc://u@db.example.org/mlflow", False),
    ],
)
def test_what_is_local(uri, local):
    assert reach.is_local(uri) is local


def test_the_refusal_names_the_store_the_place_and_both_ways_out():
    with pytest.raises(BackendError) as caught:
        reach.require("sqlite:///mlflow.db", "/x", "dsvm", "20.1.2.3", 'put "tunnel": true in backends/dsvm.json')
    assert str(caught.value) == (
        "backend 'dsvm': the tracking store sqlite:///mlflow.db cannot be reached from 20.1.2.3. "
        'Set MLFLOW_TRACKING_URI to a server, or put "tunnel": true in backends/dsvm.json.'
    )


def test_a_server_that_leaves_artifacts_to_a_folder_is_refused():
    with pytest.raises(BackendError, match="keeps its artifacts in /srv/mlruns/1, a folder that there does not have"):
        reach.require("http://10.0.0.4:5000", "/srv/mlruns/1", "dsvm", "there")
    reach.require("http://10.0.0.4:5000", "mlflow-artifacts:/1", "dsvm", "there")
    reach.require("http://10.0.0.4:5000", "wasbs://c@a.blob.core.windows.net/1", "dsvm", "there")


def test_a_password_is_not_repeated():
    with pytest.raises(BackendError) as caught:
        reach.require("http://me:secret@localhost:5000", "mlflow-artifacts:/1", "dsvm", "there")
    assert "secret" not in str(caught.value)


def test_local_folders_are_told_from_addresses():
    assert reach.local_path("file:///a/b") == Path("/a/b")
    assert reach.local_path("/a/b") == Path("/a/b")
    assert reach.local_path("mlflow-artifacts:/a/b") is None
