"""Spark Connect as a client has it: the session that is there, or one of our own at an address.

An address is ``sc://HOST:PORT``, with a token and more behind it, so that it is never shown whole. Where it is of
another kind (a Databricks driver has a socket's), pyspark itself is asked for the session.
"""

from __future__ import annotations

import os
import sys
import warnings
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from errors import EngineError
from tuning.engines.spark import failures
from tuning.engines.spark.patience import STARTS_WITHIN, check_answers, within

SCHEME = "sc://"
_DEFAULT_PORT = 15002
_MODULE = "pyspark.sql.connect.session"


def is_connect(session: Any) -> bool:
    """Whether it is a session of Spark Connect."""
    return any(kind.__module__.startswith("pyspark.sql.connect") for kind in type(session).__mro__)


def existing() -> Any:
    """Return the session of Spark Connect that this process has, or None."""
    if _MODULE not in sys.modules:
        return None
    sessions = sys.modules[_MODULE].SparkSession
    found = sessions.getActiveSession() or getattr(sessions, "_default_session", None)
    return None if found is None or getattr(found, "is_stopped", False) else found


def address(master: str | None) -> str:
    """Return where Spark Connect is: `master`, if it is of that kind, else SPARK_REMOTE; empty if neither says."""
    if master:
        return master if master.startswith(SCHEME) else ""
    return os.environ.get("SPARK_REMOTE", "")


def place(where: str) -> str:
    """Return the address `where` without what signs in."""
    scheme, there, rest = where.partition("://")
    return scheme + there + rest.partition(";")[0].rpartition("@")[2].rstrip("/")


def check(where: str) -> None:
    """Refuse, before any work, a server that cannot be used.

    Raises
    ------
    EngineError
        The client lacks a package, the address has no host, or nobody answers there.
    """
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    try:
        import pyspark.sql.connect.session  # noqa: F401
    except ImportError as error:
        raise EngineError(
            f"engine spark: the client of Spark Connect cannot be imported ({failures.first_line(str(error))}). "
            "Run: pip install -e '.[connect]' in the project."
        ) from error
    if not where.startswith(SCHEME):
        return
    wrong = f"master: '{place(where)}' is not the address of a Spark Connect server. Write sc://HOST:PORT."
    try:
        parsed = urlsplit(where)
        host, port = parsed.hostname, parsed.port or _DEFAULT_PORT
    except ValueError:
        raise EngineError(wrong) from None
    if not host:
        raise EngineError(wrong)
    check_answers([(host, port)], place(where))


def start(where: str) -> Any:
    """Open a session of our own.

    Raises
    ------
    EngineError
        It cannot be opened, or not in time.
    """
    late = f"Spark Connect at {place(where)} gave no session within {STARTS_WITHIN:.0f} s. Check its address."
    return within(STARTS_WITHIN, lambda: _open(where), late)


def _open(where: str) -> Any:
    try:
        if where.startswith(SCHEME):  # not through pyspark's own builder, which would bind this process to Connect
            from pyspark.sql.connect.session import SparkSession

            session = SparkSession.builder.remote(where).create()
            if python := os.environ.get("PYSPARK_PYTHON"):
                session.conf.set("spark.sql.execution.pyspark.python", python)
        else:
            from pyspark.sql import SparkSession as Sessions

            session = Sessions.builder.getOrCreate()
        _ = session.version  # a call that needs the server
    except Exception as error:
        raise EngineError(f"Spark Connect at {place(where)}: {failures.first_line(str(error))}") from error
    return session


def beside(session: Any) -> Any:
    """Return a copy of `session`, with its settings and files; itself where this version of pyspark makes none.

    A user's own settings and files may be what gives its workers their Python.
    """
    with suppress(Exception):
        return session.cloneSession()
    return session


def task_threads(session: Any) -> int:
    """Return the threads that a task may use; a server may keep that to itself."""
    with suppress(Exception):
        return max(1, int(session.conf.get("spark.task.cpus", "1")))
    return 1
