"""Candidates drawn at random from lists and distributions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from errors import SpecError
from tuning.candidates import Candidate
from tuning.results.sweep_result import FoldScore
from tuning.spec.space import Space
from tuning.strategies import base


class Sampled(base.Options):
    """How many candidates to draw, and from which seed."""

    candidates: int | None = Field(default=None, ge=1, strict=True)
    seed: int = Field(default=0, ge=0, strict=True)


def candidates_of(space: Space, options: Sampled, setting: base.Setting) -> list[Candidate]:
    """Return the whole grid where no number is given, else that many draws.

    Raises
    ------
    SpecError
        Nothing varies, or distributions would have to be drawn from for ever.
    """
    if not (space.grid or space.distributions):
        raise SpecError("grid: the key is missing. Add lists of values (grid) or distributions.")
    if options.candidates is None and space.distributions:
        raise SpecError("search.candidates: the key is missing. Say how many to draw, such as candidates: 30.")
    if options.candidates is None and setting.max_candidates is None:
        return space.all()
    size = len(space.all()) if options.candidates is None else options.candidates
    return space.sample(setting.limited(size), options.seed)


class RandomStrategy:
    """Independent draws, all proposed at once."""

    class Options(Sampled):
        """``candidates`` and ``seed``."""

    approximation: ClassVar[str | None] = None

    def __init__(self, space: Space, options: Options, setting: base.Setting) -> None:
        if options.candidates is None:
            raise SpecError("search.candidates: the key is missing. Say how many to draw, such as candidates: 30.")
        self._unasked = [base.Proposal(candidate) for candidate in candidates_of(space, options, setting)]
        self.n_candidates: int | None = len(self._unasked)

    def ask(self) -> Sequence[base.Proposal]:
        """Every candidate the first time, none after."""
        proposals, self._unasked = self._unasked, []
        return proposals

    def tell(self, scores: Sequence[FoldScore]) -> None:
        """Draws are independent: nothing to learn."""
