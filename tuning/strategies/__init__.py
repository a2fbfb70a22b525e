"""Strategies: which candidates next. A new one is a file here and a line in ``STRATEGIES``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tuning.strategies.base import Strategy
from tuning.strategies.grid import GridStrategy

STRATEGIES: Mapping[str, Callable[[Mapping[str, Sequence[Any]]], Strategy]] = {"grid": GridStrategy}

__all__ = ["STRATEGIES", "GridStrategy", "Strategy"]
