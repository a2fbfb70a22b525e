"""Who proposes for TPE: Optuna or hyperopt, by a word."""

from __future__ import annotations

from collections.abc import Mapping

from tuning.strategies.samplers.base import Sampler, ranges_of
from tuning.strategies.samplers.by_hyperopt import HyperoptSampler
from tuning.strategies.samplers.by_optuna import OptunaSampler

SAMPLERS: Mapping[str, type[Sampler]] = {"optuna": OptunaSampler, "hyperopt": HyperoptSampler}

__all__ = ["SAMPLERS", "Sampler", "ranges_of"]
