"""What the store refuses, in words for people."""

from __future__ import annotations

import pytest
from mlflow.exceptions import MlflowException

from errors import TrackingError
from tracking import store


def test_a_refusal_is_one_line_without_the_password():
    with pytest.raises(TrackingError) as refused, store.refusals("log metrics"):
        raise MlflowException("cannot reach postgresql://me:secret@host/db\nTraceback and more")
    assert str(refused.value) == (
        "MLflow refused to log metrics: cannot reach postgresql://…@host/db."
        " Check MLFLOW_TRACKING_URI, and that the store may be written."
    )


def test_what_is_not_a_refusal_is_let_through():
    with pytest.raises(ZeroDivisionError), store.refusals("log metrics"):
        raise ZeroDivisionError


def test_a_store_that_cannot_be_opened_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "nonsense://somewhere")
    with pytest.raises(TrackingError, match=r"^MLflow refused to open the tracking store: "):
        store.connect()


@pytest.mark.parametrize("value", [3, 0.1, None, True, "word"])
def test_values_are_written_as_python_prints_them(value):
    assert store.text(value) == str(value)


def test_lists_are_written_as_json():
    assert store.text({"steps": ["scale", "fit"]}) == '{"steps": ["scale", "fit"]}'


def test_an_sqlite_file_is_there_whole_or_not_at_all(monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    (tmp_path / ".mlflow.db.unfinished").write_bytes(b"what somebody was killed over")

    def killed(engine):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("mlflow.store.db.utils._upgrade_db", killed)
        with pytest.raises(KeyboardInterrupt):
            store.connect()
    assert not (tmp_path / "mlflow.db").exists()
    assert store.connect().search_experiments()
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]
