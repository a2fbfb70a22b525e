"""The tables of an empty database, made by one process while the others wait.

MLflow makes them when a store is first opened, and does not reckon with a second process doing the same: both fail in
the middle of each other's changes. So whoever opens a database holds a lock while MLflow looks and perhaps makes: on
the folder of an sqlite file, which needs no file of its own and goes with the process; in PostgreSQL and MySQL one of
the database's own, which goes with the connection. A server makes its tables when it starts, its owner's affair.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlflow.store.db import utils

from cache.locks import locked

_SQLITE = "sqlite:///"
_LOCK = {"postgresql": "SELECT pg_advisory_lock(736473214)", "mysql": "SELECT GET_LOCK('gridfold', 600)"}


@contextmanager
def made_by_one(uri: str) -> Iterator[None]:
    """Hold other processes of ours off the store at `uri` while the block opens it."""
    kind = uri.partition(":")[0].partition("+")[0]
    if uri.startswith(_SQLITE):
        with _folder_held(Path(uri.removeprefix(_SQLITE).partition("?")[0]).parent):
            yield
    elif kind in _LOCK:
        engine = utils.create_sqlalchemy_engine(uri)
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql(_LOCK[kind])
                yield
        finally:
            engine.dispose()
    else:
        yield


@contextmanager
def _folder_held(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)  # as MLflow would
    lock = os.open(folder, os.O_RDONLY)
    try:
        with locked(lock):
            yield
    finally:
        os.close(lock)
