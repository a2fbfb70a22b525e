"""Plain lines: where a picture cannot be redrawn.

What is new is said soon at first and less often later; where nothing is new there is a line every nine seconds. Under
CI, where nobody watches, the gaps go on growing: a sweep of an hour leaves some thirty lines, one of a day fifty.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from entrypoints.terminal.console import is_ci

_FIRST, _FIRST_IN_CI = 2.0, 10.0
_LONGEST = 9.0
_GROWTH = 0.15


class Gaps:
    """Says when the next line is due: after a part of the time since the beginning, within limits.

    Parameters
    ----------
    clock : callable
        Returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ci = is_ci()
        self._began = self._last = clock()

    def is_due(self, news: bool) -> bool:
        """Whether it is time for a line, with news or without; it is then counted as done."""
        now = self._clock()
        grown = max(_FIRST_IN_CI if self._ci else _FIRST, _GROWTH * (now - self._began))
        longest = math.inf if self._ci else _LONGEST
        if now - self._last < (min(longest, grown) if news or self._ci else longest):
            return False
        self._last = now
        return True
