"""Find the Spark session that is there, or start one at a master, and say in one line why there is none.

Starting happens on a thread of its own: Spark waits minutes for a master that does not answer, and on the main thread
it would put a Ctrl-C handler of its own in place of ours.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
import threading
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from errors import EngineError
from tuning.engines.spark.code import scratch

STARTS_WITHIN = 180.0
"""Seconds that a session, and then the first executor, may take; a YARN queue is slow."""

_ANSWERS_WITHIN = 10.0
_QUIET = """
rootLogger.level = fatal
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
"""
_MASTERS = re.compile(r"local(\[.+\])?|spark://.+|yarn|k8s://.+")
_NO_CONNECT = (
    "engine spark: this is Spark Connect, which has no broadcast variables: data would go out again with every fit. "
    "Use a classic session (-P master=spark://HOST:PORT, or spark-submit), or engine=local."
)


def is_wanted(master: str | None) -> bool:
    """Whether there is a Spark to use: a master is given, a session exists, or spark-submit started this process.

    Spark Connect is none of these: where nothing else is there (Databricks serverless), fits run on this machine.
    """
    session = existing()
    if master or _is_connect(session):
        return bool(master)
    return session is not None or "PYSPARK_GATEWAY_PORT" in os.environ


def existing() -> Any:
    """Return the session of this process, or None."""
    if "pyspark" not in sys.modules:
        return None
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    session = SparkSession.getActiveSession()
    if session is None and SparkContext._active_spark_context is not None:
        return SparkSession.builder.getOrCreate()
    return session


def _is_connect(session: Any) -> bool:
    return type(session).__module__.startswith("pyspark.sql.connect") or "SPARK_REMOTE" in os.environ


def check(master: str | None) -> None:
    """Refuse, before any work, a Spark that cannot be had.

    Raises
    ------
    EngineError
        No pyspark, no Java, a master of an unknown kind, or one that does not answer.
    """
    if find_spec("pyspark") is None:
        raise EngineError("engine spark: pyspark is not installed. Run: pip install -e '.[spark]' in the project.")
    session = existing()
    if _is_connect(session) or (master or "").startswith("sc://"):
        raise EngineError(_NO_CONNECT)
    if session is not None:
        return
    if master and not _MASTERS.fullmatch(master):
        raise EngineError(
            f"master: '{master}' is not the address of a Spark master. Write spark://HOST:PORT, local[N], yarn, "
            "or k8s://HOST:PORT."
        )
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        _check_java()
    if master and master.startswith("spark://"):
        _check_reachable(master)


def start(master: str | None, n_tasks: int) -> Any:
    """Start a session.

    Parameters
    ----------
    master : str or None
        None where spark-submit or the environment says it.
    n_tasks : int
        Limit of tasks side by side; 0 for all that the master gives.

    Raises
    ------
    EngineError
        It cannot be started, or not in time.
    """
    where = master or "the master of this environment"
    late = f"Spark at {where} did not start within {STARTS_WITHIN:.0f} s. Check its address and free resources."
    return within(STARTS_WITHIN, lambda: _start(master, n_tasks), late)


def _start(master: str | None, n_tasks: int) -> Any:
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("gridfold").config("spark.ui.showConsoleProgress", "false")
    if "SPARK_CONF_DIR" not in os.environ:
        builder = builder.config("spark.driver.extraJavaOptions", f"-Dlog4j.configurationFile={_quiet_log()}")
    if master:
        builder = builder.master(master)
    if n_tasks and master and master.startswith("spark://"):
        builder = builder.config("spark.cores.max", str(n_tasks))
    try:
        session = builder.getOrCreate()
    except Exception as error:  # pyspark raises its own, py4j's and RuntimeError
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise EngineError(
            f"Spark did not start: {said[0]} Look above for what Java says "
            "(Spark 4 needs Java 17 or later, Spark 3.5 Java 8 to 17)."
        ) from error
    return session


def _quiet_log() -> Path:
    """Write a log configuration that keeps Java's stack traces off the terminal: we say in one line what they mean."""
    path = scratch() / "log4j2.properties"
    path.write_text(_QUIET)
    return path


def within(seconds: float, call: Callable[[], Any], complaint: str) -> Any:
    """Return what `call` returns, or raise EngineError with `complaint` when it takes too long."""
    outcome: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            outcome.put((call(), None))
        except BaseException as error:
            outcome.put((None, error))

    threading.Thread(target=run, name="spark-start", daemon=True).start()
    try:
        result, error = outcome.get(timeout=seconds)
    except Empty:
        raise EngineError(complaint) from None
    if error is not None:
        raise error
    return result


def _check_java() -> None:
    home = os.environ.get("JAVA_HOME")
    java = Path(home, "bin", "java") if home else shutil.which("java")
    if java is None or not Path(java).exists():
        where = f"JAVA_HOME is {home}, where there is no bin/java" if home else "there is no java on PATH"
        raise EngineError(
            f"engine spark: Spark needs Java, and {where}. Install Java 17, or set JAVA_HOME to its folder."
        )


def _check_reachable(master: str) -> None:
    """Try to connect; several masters may be named, for the case that one is down."""
    refusals = []
    for address in master.removeprefix("spark://").split(","):
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), _ANSWERS_WITHIN).close()
        except ValueError:
            raise EngineError(f"master: '{master}' has no port. Write spark://HOST:PORT.") from None
        except OSError as error:
            refusals.append(error.strerror or str(error))
        else:
            return
    raise EngineError(
        f"master: {master} does not answer ({refusals[0]}). Check that it runs and that this machine reaches its port."
    )
