"""What an engine has to say to a booster while it trains, and what the booster tells it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol


class Overseer(Protocol):
    """Asked after every boosting round, from the thread that trains."""

    def cancelled(self) -> bool:
        """Whether the sweep was interrupted."""

    def threads(self) -> int:
        """How many threads this booster may use now."""


class Control(Overseer, Protocol):
    """Asked and told after every boosting round, from the thread that trains."""

    def at_round(self, done: int, of: int) -> None:
        """Hear that `done` of `of` rounds have been trained."""

    def at_part(self, begin: float, end: float) -> None:
        """Hear that what is trained now is the fit's work from the share `begin` to the share `end`."""


class _Unattended:
    def cancelled(self) -> bool:
        return False

    def threads(self) -> int:
        return 1

    def at_round(self, done: int, of: int) -> None:
        """Nobody wants to know."""

    def at_part(self, begin: float, end: float) -> None:
        """Nobody wants to know."""


class Watched(_Unattended):
    """Where nobody interrupts, but somebody wants to know how far the training is: a refit.

    Parameters
    ----------
    tell : callable
        Is told the rounds that are done, and of how many.
    """

    def __init__(self, tell: Callable[[int, int], None]) -> None:
        self._tell = tell

    def at_round(self, done: int, of: int) -> None:
        """Pass it on."""
        self._tell(done, of)


class Until(_Unattended):
    """Where nobody interrupts, and time is short.

    Parameters
    ----------
    moment : float
        When training is to end, by ``time.monotonic``.
    """

    def __init__(self, moment: float) -> None:
        self._moment = moment

    def cancelled(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() > self._moment


UNATTENDED: Control = _Unattended()
"""Where nobody interrupts and cores are given out beforehand, as on a cluster."""
