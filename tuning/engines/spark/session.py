"""Find the Spark session that is there, or start one at a master, and say in one line why there is none.

Starting happens on a thread of its own: Spark waits minutes for a master that does not answer, and on the main thread
it would put a Ctrl-C handler of its own in place of ours.
"""

from __future__ import annotations

import os
import re
import sys
from importlib.util import find_spec
from typing import Any

from errors import EngineError
from tuning.engines.spark import probe, remote, starting
from tuning.engines.spark.classic import ClassicCluster
from tuning.engines.spark.cluster import Cluster
from tuning.engines.spark.connect import ConnectCluster
from tuning.engines.spark.patience import STARTS_WITHIN, check_answers, places, within

_MASTERS = re.compile(r"local(\[.+\])?|spark://.+|yarn|k8s://.+")


def is_wanted(master: str | None) -> bool:
    """Whether there is a Spark to use: a master is given, a session exists, or spark-submit started this process.

    Spark Connect alone (SPARK_REMOTE, a session of that kind) is one where a task has shown that it can run fits.
    """
    if master:
        return True
    if _is_remote():
        return not probe.why_not()
    return existing() is not None or "PYSPARK_GATEWAY_PORT" in os.environ


def stays_here() -> str:
    """Say in a line why fits stay on this machine though there is Spark Connect; empty where nothing is to be said."""
    reason = probe.why_not() if _is_remote() else ""
    return reason and f"the fits run on this machine, since Spark Connect is here and cannot run them: {reason}"


def _is_remote() -> bool:
    session = existing()
    return remote.is_connect(session) if session is not None else bool(remote.address(None))


def existing() -> Any:
    """Return the session of this process, or None."""
    if "pyspark" not in sys.modules:
        return None
    if (connected := remote.existing()) is not None:
        return connected
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    session = SparkSession.getActiveSession()
    if session is None and SparkContext._active_spark_context is not None:
        return SparkSession.builder.getOrCreate()
    return session


def check(master: str | None) -> None:
    """Refuse, before any work, a Spark that cannot be had.

    Raises
    ------
    EngineError
        No pyspark, no Java, a master of an unknown kind, one that does not answer, or one beside Spark Connect.
    """
    if find_spec("pyspark") is None:
        raise EngineError("engine spark: pyspark is not installed. Run: pip install -e '.[spark]' in the project.")
    master = master or ""
    if master.startswith(remote.SCHEME):
        remote.check(master)
        return
    session = existing()
    if master and (remote.is_connect(session) or (session is None and remote.address(None))):
        there = "a session of Spark Connect is open here" if session else "SPARK_REMOTE is set"
        leave = "stop that session" if session else "unset SPARK_REMOTE"
        raise EngineError(
            f"master: {there}, and a process has that or a master of its own. Leave master={master} out, or {leave}."
        )
    if session is not None:
        return
    if where := remote.address(None):
        remote.check(where)
        return
    _check_classic(master)


def _check_classic(master: str) -> None:
    if master and not _MASTERS.fullmatch(master):
        raise EngineError(
            f"master: '{master}' is not the address of a Spark master. Write spark://HOST:PORT, local[N], yarn, "
            "k8s://HOST:PORT, or sc://HOST:PORT for Spark Connect."
        )
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        starting.check_home()
        starting.check_java()
    if master.startswith("spark://"):
        check_answers(places(master), master)


def refuse_connect(master: str | None, what: str) -> None:
    """Refuse Spark Connect for `what`, which needs a session with a SparkContext.

    Raises
    ------
    EngineError
        Spark Connect is what there is.
    """
    if (master or "").startswith(remote.SCHEME) or (not master and _is_remote()):
        raise EngineError(
            f"engine spark: {what} cannot run over Spark Connect. Use a classic session (-P master=spark://HOST:PORT, "
            "or spark-submit), or engine=local."
        )


def find(master: str | None, n_tasks: int, sweep: str) -> tuple[Cluster, bool]:
    """Return the cluster that `master` means for the sweep called `sweep`, and whether its session is ours to end.

    Raises
    ------
    EngineError
        There is none.
    """
    found = None if (master or "").startswith(remote.SCHEME) else existing()
    where = remote.address(master) if found is None else ""
    if where:
        return ConnectCluster(remote.start(where), sweep, borrowed=False), True
    if remote.is_connect(found):
        return ConnectCluster(found, sweep, borrowed=True), False
    return ClassicCluster(start(master, n_tasks) if found is None else found, sweep), found is None


def start(master: str | None, n_tasks: int) -> Any:
    """Start a session with a SparkContext.

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
    return within(STARTS_WITHIN, lambda: starting.begin(master, n_tasks), late)
