"""Fold racing: a candidate that the paired evidence over folds says cannot win is tried on no more folds.

The evidence is the corrected paired difference of ``tuning.results.statistics`` against the leader, at the folds that
all have had so far. We do not use Friedman's rank test, as F-race does: it needs many more blocks than there are folds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from tuning.candidates import Candidate
from tuning.results.fold_score import FoldScore
from tuning.results.statistics import paired_difference
from tuning.spec.space import Space
from tuning.strategies import base
from tuning.strategies.laps import LapOfScores
from tuning.strategies.random import Draws, Sampled


class RacingStrategy:
    """Fold by fold, with those that cannot win left behind."""

    class Options(Sampled):
        """``min_folds`` before anyone is dropped; ``level`` of confidence that a dropped one cannot win."""

        min_folds: int = Field(default=3, ge=2, strict=True)
        level: float = Field(default=0.9, gt=0.5, lt=1)

    approximation: ClassVar[str | None] = (
        "racing stops a candidate when the folds so far say that it cannot win, so losers have fewer folds"
    )

    def __init__(self, space: Space, options: Options, setting: base.Setting) -> None:
        self._options = options
        self._setting = setting
        self._draws = Draws(space, options, setting)
        self._racing: list[Candidate] = []
        self._lap = LapOfScores(setting.scorer, setting.n_folds)
        self._next_fold = 0
        self.n_candidates: int | None = self._draws.n_candidates

    def ask(self) -> Sequence[base.Proposal]:
        """The first folds for all, then one more fold at a time for those still in the race."""
        if not self._lap.complete or self._next_fold >= self._setting.n_folds:
            return []
        if self._next_fold == 0:
            self._racing = self._draws.candidates()
        else:
            self._drop_losers()
        begin, end = self._next_fold, self._lap_end()
        self._next_fold = end
        folds = tuple(range(begin, end))
        return self._lap.propose([base.Proposal(candidate, folds) for candidate in self._racing])

    def tell(self, scores: Sequence[FoldScore]) -> None:
        """Take in scores."""
        self._lap.tell(scores)

    def _lap_end(self) -> int:
        """All folds that are left when one is left alone, since there is nobody to stop."""
        n_folds = self._setting.n_folds
        if len(self._racing) == 1:
            return n_folds
        return min(n_folds, max(self._next_fold + 1, self._options.min_folds))

    def _drop_losers(self) -> None:
        sound = [c for c in self._racing if not math.isnan(math.fsum(self._lap.splits(c)))]
        if not sound:
            self._racing = []
            return
        leader = max(sound, key=self._lap.mean)
        self._racing = [candidate for candidate in sound if candidate is leader or self._may_win(candidate, leader)]

    def _may_win(self, candidate: Candidate, leader: Candidate) -> bool:
        ahead = paired_difference(
            self._lap.splits(leader),
            self._lap.splits(candidate),
            self._setting.test_share,
            2 * self._options.level - 1,  # one end of the interval is looked at
        )
        return ahead.low <= 0
