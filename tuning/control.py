"""What an engine has to say to a booster while it trains."""

from __future__ import annotations

from typing import Protocol


class Control(Protocol):
    """Asked after every boosting round, from the thread that trains."""

    def cancelled(self) -> bool:
        """Whether the sweep was interrupted."""

    def threads(self) -> int:
        """How many threads this booster may use now."""


class _Unattended:
    def cancelled(self) -> bool:
        return False

    def threads(self) -> int:
        return 1


UNATTENDED: Control = _Unattended()
"""Where nobody interrupts and cores are given out beforehand, as on a cluster."""
