"""Every combination of the listed values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.model_selection import ParameterGrid

from tuning.candidates import Candidate
from tuning.results import FoldScore


class GridStrategy:
    """All combinations at once, in scikit-learn's ``ParameterGrid`` order.

    Parameters
    ----------
    grid : mapping of str to sequence
    """

    def __init__(self, grid: Mapping[str, Sequence[Any]]) -> None:
        self._unasked = [Candidate(params) for params in ParameterGrid(dict(grid))]
        self.n_candidates: int | None = len(self._unasked)

    def ask(self) -> Sequence[Candidate]:
        """Every candidate the first time, none after."""
        candidates, self._unasked = self._unasked, []
        return candidates

    def tell(self, scores: Sequence[FoldScore]) -> None:
        """A grid has nothing to learn."""
