"""More threads for a booster while it trains, where cores stand idle and it helps.

Near the end of a sweep fewer fits run than there are cores. XGBoost's histogram method grows the same trees, bit for
bit, whatever the number of threads, so a booster may be given the idle cores in the middle of its training. Whether
that makes it faster is tried rather than assumed: on a machine with other work, two threads that wait for each other
after every tree can take several times as long as one.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import xgboost as xgb

_ROUNDS = 3  # to compare before and after; a single round may meet another program's burst
_WORTH_IT = 0.9


class ThreadTrial(xgb.callback.TrainingCallback):  # type: ignore[misc]
    """Raises a booster's threads to what is allowed, and takes that back where rounds do not get faster.

    Parameters
    ----------
    allowed : callable
        How many threads the booster may use now; asked after every round.
    clock : callable
        Returns seconds.
    """

    def __init__(self, allowed: Callable[[], int], clock: Callable[[], float] = time.perf_counter) -> None:
        super().__init__()
        self._allowed = allowed
        self._clock = clock
        self._last = clock()
        self._rounds: list[float] = []
        self._before: float | None = None
        self._settled = False

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Time the round that has ended, and change the number of threads where that is due."""
        now = self._clock()
        self._rounds.append(now - self._last)
        self._last = now
        if not self._settled and len(self._rounds) >= _ROUNDS:
            self._consider(model)
        return False

    def _consider(self, model: Any) -> None:
        recent = statistics.median(self._rounds[-_ROUNDS:])
        if self._before is not None:
            self._settled = True
            if recent > _WORTH_IT * self._before:
                model.set_param({"nthread": 1})
        elif (threads := self._allowed()) > 1:
            self._before = recent
            self._rounds.clear()
            model.set_param({"nthread": threads})
