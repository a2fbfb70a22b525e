"""Every combination of the listed values."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import ClassVar

from errors import SpecError
from tuning.results.fold_score import FoldScore
from tuning.spec.space import Space, distinct_below
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
        if space.is_empty:
            raise SpecError("grid: the key is missing. Add the lists of values to combine.")
        self._space, self._seed, self._asked = space, options.seed, False
        self._size = space.size or 0
        self.n_candidates: int | None = setting.limited(self._size)

    def ask(self) -> Sequence[base.Proposal]:
        """Every candidate the first time, none after."""
        if self._asked:
            return []
        self._asked = True
        return [base.Proposal(self._space.at(place)) for place in self._places()]

    def tell(self, scores: Sequence[FoldScore]) -> None:
        """A grid has nothing to learn."""

    def _places(self) -> Iterable[int]:
        kept = self.n_candidates or 0
        if kept == self._size:
            return range(self._size)
        return sorted(distinct_below(self._size, kept, random.Random(self._seed)))
