"""The tables of an empty database, made by one process while the others wait.

MLflow makes them when a store is first opened, and does not reckon with a second process doing the same: both fail in
the middle of each other's changes. So whoever opens a database holds a lock while MLflow looks and perhaps makes: on a
file beside that of sqlite, which goes with the process; in PostgreSQL and MySQL one of the database's own, which goes
with the connection. A server makes its tables when it starts, its owner's affair.

MLflow cannot go on with a file whose maker was killed in the middle, nor can we: there might be runs in it. So we make
one under another name, and give it its own when it is whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from mlflow.store.db import utils

from cache.locks import held_beside

_SQLITE = "sqlite:///"
_LOCK = {"postgresql": "SELECT pg_advisory_lock(736473214)", "mysql": "SELECT GET_LOCK('gridfold', 600)"}


@contextmanager
def made_by_one(uri: str) -> Iterator[None]:
    """Hold other processes of ours off the store at `uri` while the block opens it."""
    kind = uri.partition(":")[0].partition("+")[0]
    if uri.startswith(_SQLITE):
        file = Path(uri.removeprefix(_SQLITE).partition("?")[0])
        file.parent.mkdir(parents=True, exist_ok=True)  # as MLflow would
        with nullcontext() if ":" in file.name else held_beside(file):  # ":memory:" is no file
            if ":" not in file.name and not file.exists():
                _make_whole(file)
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


def _make_whole(file: Path) -> None:
    """Make an sqlite file with its tables, or none."""
    unfinished = file.with_name(f".{file.name}.unfinished")
    for left in (unfinished, unfinished.with_name(f"{unfinished.name}-journal")):
        left.unlink(missing_ok=True)
    engine = utils.create_sqlalchemy_engine(f"{_SQLITE}{unfinished}")
    try:
        utils._initialize_tables(engine)
    finally:
        engine.dispose()
    os.replace(unfinished, file)
