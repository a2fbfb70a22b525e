"""Tree-structured Parzen estimators: candidates drawn where good ones have been found.

A batch is proposed at once, so that fits which share work are planned together, judged on all folds, and only then
told, in the order of proposal: so the scores decide what comes next, and not which worker was quicker.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from errors import SpecError
from tuning.candidates import Candidate
from tuning.results.fold_score import FoldScore
from tuning.spec.space import Space
from tuning.strategies import base
from tuning.strategies.laps import LapOfScores
from tuning.strategies.random import Sampled
from tuning.strategies.samplers import SAMPLERS, ranges_of

_TRIES = 20  # for a candidate that has not been proposed before, in a space that may hold few


class TpeStrategy:
    """Batches of draws that learn from the batches before."""

    class Options(Sampled):
        """``candidates`` in all, ``startup`` of them at random, ``batch`` between two lessons; ``patience`` ends it."""

        startup: int = Field(default=10, ge=1, strict=True)
        batch: int = Field(default=4, ge=1, strict=True)
        patience: int | None = Field(default=None, ge=1, strict=True)
        sampler: Literal["optuna", "hyperopt"] = "optuna"

    approximation: ClassVar[str | None] = None

    def __init__(self, space: Space, options: Options, setting: base.Setting) -> None:
        if options.candidates is None:
            raise SpecError("search.candidates: the key is missing. Say how many to try, such as candidates: 30.")
        self._options = options
        self._left = setting.limited(options.candidates)
        self._sampler = SAMPLERS[options.sampler](ranges_of(space), options.startup, options.seed)
        self._lap = LapOfScores(setting.scorer, setting.n_folds)
        self._batch: list[Candidate] = []
        self._seen: set[Candidate] = set()
        self._best, self._since_best = -math.inf, 0
        self.n_candidates: int | None = self._left

    def ask(self) -> Sequence[base.Proposal]:
        """The next batch, once the last has been judged; the first one holds all the random ones."""
        if not self._lap.complete or not self._left:
            return []
        at_random = len(self._seen) == len(self._batch)
        for candidate in self._batch:
            self._learn(candidate, self._lap.mean(candidate))
        if at_random:
            self._since_best = 0  # who was drawn at random says nothing of how the search goes on
        if self._options.patience is not None and self._since_best >= self._options.patience:
            self._left = 0
            return []
        size = min(self._left, self._options.batch if self._seen else self._options.startup)
        drawn = [self._new_candidate() for _ in range(size)]
        self._batch = [candidate for candidate in drawn if candidate is not None]
        self._left = self._left - len(self._batch) if self._batch else 0
        return self._lap.propose([base.Proposal(candidate) for candidate in self._batch])

    def tell(self, scores: Sequence[FoldScore]) -> None:
        """Take in scores."""
        self._lap.tell(scores)

    def _learn(self, candidate: Candidate, score: float) -> None:
        self._sampler.learn(candidate, score)
        better = score > self._best
        self._best, self._since_best = (score, 0) if better else (self._best, self._since_best + 1)

    def _new_candidate(self) -> Candidate | None:
        """Draw one that has not been proposed, in the end at random; None where the space seems to hold no more."""
        for draw in range(2 * _TRIES):
            candidate = self._sampler.suggest(at_random=draw >= _TRIES)
            if candidate not in self._seen:
                self._seen.add(candidate)
                return candidate
        return None
