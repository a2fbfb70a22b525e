"""When a standalone cluster is gone for good, which Spark does not say: it waits without end.

An executor that is lost is replaced, and Workers may come back, so a cluster without executors is waited for. But the
application registers with its Master once. A Master that goes takes nothing with it at first: executors run on, and so
do the fits. When the last executor has gone as well, nobody can give another, not even a new Master at the old address,
which knows nothing of the application.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from errors import EngineError
from tuning.engines.spark.patience import check_answers, places

_ENDS_AFTER = 30.0
"""Seconds without an executor; a Master that has others in waiting takes some to change over."""


class Outage:
    """Remembers what has been seen of one cluster.

    Parameters
    ----------
    master : str
        ``spark://HOST:PORT``, or any other, of which nothing is known.
    executors : callable
        How many the application has now.
    """

    def __init__(self, master: str, executors: Callable[[], int]) -> None:
        self._master = master if master.startswith("spark://") else ""
        self._executors = executors
        self._was_away = False
        self._alone_since: float | None = None

    def is_over(self) -> str:
        """Return why no fit can end any more, empty where one may; to be asked again and again."""
        if not self._master:
            return ""
        self._was_away = self._was_away or self._is_away()
        if self._executors():
            self._alone_since = None
            return ""
        self._alone_since = self._alone_since or time.monotonic()
        if not self._was_away or time.monotonic() - self._alone_since < _ENDS_AFTER:
            return ""
        return (
            f"Spark is lost: the Master at {self._master} was gone, and so is the last executor. Start the cluster "
            "again; the same command goes on from what is done."
        )

    def _is_away(self) -> bool:
        try:
            check_answers(places(self._master), self._master)
        except EngineError:
            return True
        return False
