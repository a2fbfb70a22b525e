"""Strategies: which candidates next. A new one is a file here and a line in ``STRATEGIES``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuning.strategies.base import Options, Proposal, Setting, Strategy
from tuning.strategies.grid import GridStrategy
from tuning.strategies.halving import HalvingStrategy
from tuning.strategies.racing import RacingStrategy
from tuning.strategies.random import RandomStrategy
from tuning.strategies.tpe import TpeStrategy

STRATEGIES: Mapping[str, Any] = {
    "grid": GridStrategy,
    "random": RandomStrategy,
    "tpe": TpeStrategy,
    "racing": RacingStrategy,
    "halving": HalvingStrategy,
}

__all__ = ["STRATEGIES", "Options", "Proposal", "Setting", "Strategy"]
