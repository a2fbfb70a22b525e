"""Candidates drawn at random from lists and distributions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from errors import SpecError
from tuning.candidates import Candidate
from tuning.results.fold_score import FoldScore
from tuning.spec.space import Space
from tuning.strategies import base


class Sampled(base.Options):
    """How many candidates to draw, and from which seed."""

    candidates: int | None = Field(default=None, ge=1, strict=True)
    seed: int = Field(default=0, ge=0, strict=True)


class Draws:
    """The candidates that a strategy starts from: counted at once, drawn when they are first asked for.

    The whole grid where no number is given, else that many draws.

    Raises
    ------
    SpecError
        Nothing varies, or distributions would have to be drawn from for ever.
    """

    def __init__(self, space: Space, options: Sampled, setting: base.Setting) -> None:
        if space.is_empty:
            raise SpecError("grid: the key is missing. Add lists of values (grid) or distributions.")
        if options.candidates is None and space.distributions:
            raise SpecError("search.candidates: the key is missing. Say how many to draw, such as candidates: 30.")
        self._space, self._seed = space, options.seed
        self._whole = options.candidates is None and setting.max_candidates is None
        wanted = options.candidates or space.size or 0
        self.n_candidates = setting.limited(wanted if space.size is None else min(wanted, space.size))

    def candidates(self) -> list[Candidate]:
        """Draw them."""
        if self._whole:
            return list(self._space.all())
        return self._space.sample(self.n_candidates, self._seed)


class RandomStrategy:
    """Independent draws, all proposed at once."""

    class Options(Sampled):
        """``candidates`` and ``seed``."""

    approximation: ClassVar[str | None] = None

    def __init__(self, space: Space, options: Options, setting: base.Setting) -> None:
        if options.candidates is None:
            raise SpecError("search.candidates: the key is missing. Say how many to draw, such as candidates: 30.")
        self._draws: Draws | None = Draws(space, options, setting)
        self.n_candidates: int | None = self._draws.n_candidates

    def ask(self) -> Sequence[base.Proposal]:
        """Every candidate the first time, none after."""
        draws, self._draws = self._draws, None
        return [] if draws is None else [base.Proposal(candidate) for candidate in draws.candidates()]

    def tell(self, scores: Sequence[FoldScore]) -> None:
        """Draws are independent: nothing to learn."""
