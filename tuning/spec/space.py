"""The space of candidates: lists of values to combine, and distributions to draw from.

scipy's frozen distributions and scikit-learn's ``ParameterSampler`` do the drawing, so that a seed means here what it
means there; what is our own is the way a distribution is written in YAML and the check that it can be drawn from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator
from scipy import stats
from sklearn.model_selection import ParameterGrid, ParameterSampler

from tuning.candidates import Candidate
from tuning.spec.messages import problem

_KINDS = ("uniform", "loguniform", "integers", "choice")


class Distribution(BaseModel):
    """How one parameter is drawn: ``{uniform: [0.5, 1.0]}``, ``{integers: [50, 300], step: 50}``, ``{choice: [a, b]}``.

    Attributes
    ----------
    uniform, loguniform : [low, high] or None
        A real number, evenly spread itself or in its logarithm.
    integers : [low, high] or None
        A whole number, both ends included.
    choice : list or None
        Any of these, equally likely.
    step : int or float or None
        For ``uniform`` and ``integers``: only ``low``, ``low + step``, ... up to ``high``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    uniform: tuple[float, float] | None = None
    loguniform: tuple[float, float] | None = None
    integers: tuple[int, int] | None = None
    choice: list[Any] | None = None
    step: int | float | None = None

    @model_validator(mode="after")
    def _can_be_drawn_from(self) -> Distribution:
        kinds = [kind for kind in _KINDS if getattr(self, kind) is not None]
        if len(kinds) != 1:
            raise problem(f"expected one of {', '.join(_KINDS)}, got {' and '.join(kinds) or 'none of them'}")
        if self.choice is not None and not self.choice:
            raise problem("the choice is empty. Give at least one value")
        if self.choice is None and not self.low < self.high:
            raise problem(f"{self.kind}: {self.low} is not below {self.high}. Give the lower end first")
        if self.loguniform is not None and self.low <= 0:
            raise problem(f"loguniform: the lower end {self.low} has no logarithm. Give one above 0")
        self._check_step()
        return self

    def _check_step(self) -> None:
        if self.step is None:
            return
        if self.kind not in ("uniform", "integers"):
            raise problem(f"step goes with uniform or integers, not with {self.kind}. Remove it")
        if self.step <= 0 or self.step > self.high - self.low:
            raise problem(f"step: {self.step} does not fit between {self.low} and {self.high}. Give a smaller one")
        if self.integers is not None and not isinstance(self.step, int):
            raise problem(f"step: {self.step} is not a whole number, which integers needs")

    @property
    def kind(self) -> str:
        """One of uniform, loguniform, integers, choice."""
        return next(kind for kind in _KINDS if getattr(self, kind) is not None)

    @property
    def low(self) -> float:
        """The lower end."""
        return float(getattr(self, self.kind)[0])

    @property
    def high(self) -> float:
        """The upper end."""
        return float(getattr(self, self.kind)[1])

    @property
    def values(self) -> list[Any] | None:
        """Every value there is, where they can be counted; None for a continuous range."""
        if self.choice is not None:
            return list(self.choice)
        if self.integers is not None:
            return list(range(self.integers[0], self.integers[1] + 1, int(self.step or 1)))
        if self.step is not None:
            count = math.floor((self.high - self.low) / self.step + 1e-9) + 1
            return [round(self.low + place * self.step, 12) for place in range(count)]
        return None

    def scipy(self) -> Any:
        """Something ``ParameterSampler`` draws from: a list, or a frozen scipy distribution."""
        if self.values is not None:
            return self.values
        return stats.uniform(self.low, self.high - self.low) if self.uniform else stats.loguniform(self.low, self.high)


@dataclass(frozen=True)
class Space:
    """All that varies.

    Attributes
    ----------
    grid : mapping of str to sequence
    distributions : mapping of str to Distribution
    """

    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    distributions: Mapping[str, Distribution] = field(default_factory=dict)

    def all(self) -> list[Candidate]:
        """Every combination of the lists, in scikit-learn's ``ParameterGrid`` order."""
        return [Candidate(params) for params in ParameterGrid({name: list(v) for name, v in self.grid.items()})]

    def sample(self, n_candidates: int, seed: int) -> list[Candidate]:
        """Draw different candidates; fewer than asked for where there are no more.

        Parameters
        ----------
        n_candidates : int
        seed : int
            The same seed draws the same candidates, and the first of them whatever `n_candidates` is, unless every
            parameter is a list.
        """
        ranges = {name: list(values) for name, values in self.grid.items()}
        ranges |= {name: distribution.scipy() for name, distribution in self.distributions.items()}
        lists = [values for values in ranges.values() if isinstance(values, list)]
        countable = math.prod(map(len, lists)) if len(lists) == len(ranges) else n_candidates
        sampler = ParameterSampler(ranges, min(n_candidates, countable), random_state=seed)
        drawn = [Candidate({name: plain(value) for name, value in params.items()}) for params in sampler]
        return list(dict.fromkeys(drawn))


def plain(value: Any) -> Any:
    """Return a value as YAML would say it: numpy's numbers become Python's."""
    return value.item() if isinstance(value, np.generic) else value
