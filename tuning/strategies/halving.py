"""Successive halving: everyone on a small share, the better part on a larger one, until few are judged in full.

Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and Hyperparameter Optimization", AISTATS 2016. The
share is of training rows or of boosting rounds. We train anew on every rung: a booster that is continued has another
random state than one trained in one go.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from tuning.candidates import Candidate
from tuning.results.fold_score import FoldScore
from tuning.spec.space import Space
from tuning.strategies import base
from tuning.strategies.laps import LapOfScores
from tuning.strategies.random import Draws, Sampled


class HalvingStrategy:
    """Rungs: fewer candidates on each, with a larger share."""

    class Options(Sampled):
        """``factor``: one in so many climbs; ``resource``: of what a rung takes a share; ``min_share`` of the first."""

        factor: int = Field(default=3, ge=2, strict=True)
        resource: Literal["rounds", "rows"] = "rounds"
        min_share: float = Field(default=0.1, gt=0, lt=1)

    approximation: ClassVar[str | None] = (
        "halving judges most candidates on a share of the rounds or rows only, so one that needs more may be lost"
    )

    def __init__(self, space: Space, options: Options, setting: base.Setting) -> None:
        self._options = options
        self._draws = Draws(space, options, setting)
        self._climbing: list[Candidate] = []
        self._lap = LapOfScores(setting.scorer, setting.n_folds)
        self._shares = rungs(self._draws.n_candidates, options.factor, options.min_share)
        self.n_candidates: int | None = self._draws.n_candidates

    def ask(self) -> Sequence[base.Proposal]:
        """The next rung, once the one below has been climbed."""
        if not self._lap.complete or not self._shares:
            return []
        if self._lap.scores:
            kept = math.ceil(len(self._climbing) / self._options.factor)
            ranked = sorted(self._climbing, key=self._lap.mean, reverse=True)
            self._climbing = [candidate for candidate in ranked if self._lap.mean(candidate) > -math.inf][:kept]
        else:
            self._climbing = self._draws.candidates()
        share = self._shares.pop(0)
        rows, rounds = (share, 1.0) if self._options.resource == "rows" else (1.0, share)
        return self._lap.propose([base.Proposal(c, rows=rows, rounds=rounds) for c in self._climbing])

    def tell(self, scores: Sequence[FoldScore]) -> None:
        """Take in scores."""
        self._lap.tell(scores)


def rungs(n_candidates: int, factor: int, min_share: float) -> list[float]:
    """Shares of the rungs, the last of them 1: as many as `n_candidates` can fill and `min_share` allows."""
    by_company = math.floor(math.log(n_candidates, factor) + 1e-9) if n_candidates > 1 else 0
    by_share = math.floor(math.log(1 / min_share, factor) + 1e-9)
    return [factor ** -float(below) for below in range(min(by_company, by_share), -1, -1)]
