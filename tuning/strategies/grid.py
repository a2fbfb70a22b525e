"""Every combination of the listed values."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import ClassVar

from errors import SpecError
from tuning.results.sweep_result import FoldScore
from tuning.spec.space import Space
from tuning.strategies import base


class GridStrategy:
    """All combinations at once, in scikit-learn's ``ParameterGrid`` order.

    Where the budget is smaller than the grid, it is spent on a seeded sample of it: the first so many would leave
    whole values of the first parameters untried.
    """

    class Options(base.Options):
        """``seed`` of the sample that a budget makes."""

        seed: int = 0

    approximation: ClassVar[str | None] = None

    def __init__(self, space: Space, options: Options, setting: base.Setting) -> None:
        if space.distributions:
            name = next(iter(space.distributions))
            raise SpecError(f"distributions.{name}: a grid needs lists. Use search.strategy random or tpe, or a list.")
        if not space.grid:
            raise SpecError("grid: the key is missing. Add the lists of values to combine.")
        candidates = space.all()
        kept = setting.limited(len(candidates))
        chosen = sorted(random.Random(options.seed).sample(range(len(candidates)), kept))
        self._unasked = [base.Proposal(candidates[place]) for place in chosen]
        self.n_candidates: int | None = kept

    def ask(self) -> Sequence[base.Proposal]:
        """Every candidate the first time, none after."""
        proposals, self._unasked = self._unasked, []
        return proposals

    def tell(self, scores: Sequence[FoldScore]) -> None:
        """A grid has nothing to learn."""
