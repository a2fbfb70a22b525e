"""Whether the executors behind Spark Connect can run fits, asked of one task before any work.

Nobody can tell by the kind of a server: a workspace may forbid a session's files, keep Python functions in a sandbox
without the libraries, or have another Python. So the whole way is gone once, with a sweep of no fits.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Any

import numpy as np

from errors import EngineError
from tuning.dataset import Dataset
from tuning.engines.batches import Batch
from tuning.engines.spark import remote
from tuning.engines.spark.answers import scores_in
from tuning.engines.spark.connect import ConnectCluster
from tuning.engines.spark.failures import CrashError
from tuning.engines.spark.patience import STARTS_WITHIN, within
from tuning.scoring import Scorers
from tuning.workload import Workload

_known: dict[str, str] = {}
"""What was found, by the address or the session: nobody wants to wait for it twice."""


def why_not() -> str:
    """Say why fits cannot run on the executors behind Spark Connect, in a clause; empty where they can."""
    session, where = remote.existing(), remote.address(None)
    key = where if session is None else str(getattr(session, "session_id", id(session)))
    if key not in _known:
        try:
            _try(session, where)
            _known[key] = ""
        except (EngineError, CrashError) as error:
            _known[key] = str(error)
    return _known[key]


def _try(session: Any, where: str) -> None:
    remote.check("" if session is not None else where)
    opened = remote.start(where) if session is None else session
    cluster = ConnectCluster(opened, f"gridfold-{uuid.uuid4().hex[:12]}", borrowed=session is not None)
    late = f"one task did not end within {STARTS_WITHIN:.0f} s"
    try:
        within(STARTS_WITHIN, lambda: _load_nothing(cluster), late)
    finally:
        with suppress(ConnectionError):
            cluster.cancel()
        cluster.close()
        if session is None:
            cluster.stop()


def _load_nothing(cluster: ConnectCluster) -> None:
    from sklearn.dummy import DummyClassifier

    y = np.arange(4) % 2
    cluster.share(
        Workload(DummyClassifier(), Scorers.named("accuracy"), Dataset(np.zeros((4, 1)), y, np.unique(y)), ())
    )
    scores_in(*cluster.finish(cluster.begin(Batch(), "try a worker")))
