"""The space of candidates: lists of values to combine, and distributions to draw from.

A space is counted and addressed, never listed: candidate number 61 is computed from 61, in the order of scikit-learn's
``ParameterGrid``, and sizes are Python's whole numbers, which do not overflow. ``ParameterGrid`` itself takes places up
to 2^63 only and multiplies them in 64 bits.

scipy's frozen distributions and scikit-learn's samplers do the drawing, so that a seed means here what it means there;
what is our own is the way a distribution is written in YAML and the check that it can be drawn from.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Any, overload

import numpy as np
from pydantic import model_validator
from scipy import stats
from sklearn.model_selection import ParameterSampler
from sklearn.utils.random import sample_without_replacement

from tuning.candidates import Candidate
from tuning.spec.messages import problem
from tuning.spec.part import SpecPart

MOST_LISTED = 100_000
"""A whole grid of more candidates than this is surely a mistake, unless a number is given with it."""

_INT64 = np.iinfo(np.int64)
_KINDS = ("uniform", "loguniform", "integers", "choice")


class Distribution(SpecPart):
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
        if self.choice is None and not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise problem(f"{self.kind}: {self.low} to {self.high} is not finite. Give numbers")
        if self.choice is None and not self.low < self.high:
            raise problem(f"{self.kind}: {self.low} is not below {self.high}. Give the lower end first")
        if self.integers is not None and not (_INT64.min <= self.low and self.high < _INT64.max):
            raise problem("integers: the ends must be numbers of 64 bits. Give smaller ones")
        if self.loguniform is not None and self.low <= 0:
            raise problem(f"loguniform: the lower end {self.low} has no logarithm. Give one above 0")
        self._check_step()
        return self

    def _check_step(self) -> None:
        if self.step is None:
            return
        if self.kind not in ("uniform", "integers"):
            raise problem(f"step goes with uniform or integers, not with {self.kind}. Remove it")
        if not 0 < self.step <= self.high - self.low:
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
        end: float = getattr(self, self.kind)[0]
        return end

    @property
    def high(self) -> float:
        """The upper end."""
        end: float = getattr(self, self.kind)[1]
        return end

    @property
    def values(self) -> Sequence[Any] | None:
        """Every value there is, computed as it is asked for; None for a continuous range."""
        if self.choice is not None:
            return self.choice
        if self.integers is not None:
            return range(self.integers[0], self.integers[1] + 1, int(self.step or 1))
        return None if self.step is None else _Steps(self.low, self.high, self.step)

    @property
    def examples(self) -> Sequence[Any]:
        """The choice, or the lower end: what a check of names and types has to look at."""
        return self.choice if self.choice is not None else [self.low]

    def scipy(self) -> Any:
        """Something ``ParameterSampler`` draws from: a sequence, or a frozen scipy distribution."""
        if self.values is not None:
            return self.values
        return stats.uniform(self.low, self.high - self.low) if self.uniform else stats.loguniform(self.low, self.high)


class _Steps(Sequence[float]):
    """``low``, ``low + step``, ... up to ``high``."""

    def __init__(self, low: float, high: float, step: float) -> None:
        self._low, self._step = low, step
        self._count = math.floor((high - low) / step + 1e-9) + 1

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> float: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[float]: ...
    def __getitem__(self, place: int | slice) -> float | Sequence[float]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(self._count))]
        if not -self._count <= place < self._count:
            raise IndexError(place)
        return round(self._low + (int(place) % self._count) * self._step, 12)


@dataclass(frozen=True)
class Space:
    """All that varies.

    Attributes
    ----------
    grid : mapping of str to sequence, or sequence of such mappings
        Several are one grid after the other, as ``ParameterGrid`` has it.
    distributions : mapping of str to Distribution
        Drawn from beside each of the grids.
    """

    grid: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Sequence[Any]]] = field(default_factory=dict)
    distributions: Mapping[str, Distribution] = field(default_factory=dict)

    @property
    def grids(self) -> Sequence[Mapping[str, Sequence[Any]]]:
        """The grids, one after the other."""
        return [self.grid] if isinstance(self.grid, Mapping) else self.grid or [{}]

    @property
    def is_empty(self) -> bool:
        """Whether nothing varies."""
        return not (self.grid or self.distributions)

    @cached_property
    def size(self) -> int | None:
        """How many candidates there are; None where something is drawn from a continuous range."""
        if self.lists is None:
            return None
        return sum(self.sizes) if self._merged is None else len(self._merged)

    @cached_property
    def lists(self) -> list[dict[str, Sequence[Any]]] | None:
        """The values that each of the grids combines; None where something is drawn from a continuous range."""
        drawn = {name: each.values for name, each in self.distributions.items()}
        listed = {name: values for name, values in drawn.items() if values is not None}
        return [{**grid, **listed} for grid in self.grids] if len(listed) == len(drawn) else None

    @cached_property
    def sizes(self) -> list[int]:
        """How many candidates each of `lists` has."""
        return [math.prod(map(len, each.values())) for each in self.lists or []]

    def listed(self, name: str) -> list[Any]:
        """Values that the grids and the choices have for a parameter."""
        values = [value for grid in self.grids for value in grid.get(name, [])]
        distribution = self.distributions.get(name)
        return values if distribution is None else [*values, *distribution.examples]

    def at(self, place: int) -> Candidate:
        """Candidate number `place`, in scikit-learn's ``ParameterGrid`` order.

        A candidate that two grids have is counted once, unless there are more than `MOST_LISTED`.
        """
        if self._merged is not None:
            return self._merged[place]
        for values, size in zip(self.lists or [], self.sizes, strict=True):
            if place < size:
                return _combination(values, place)
            place -= size
        raise IndexError(place)

    def all(self) -> Iterator[Candidate]:
        """Every candidate, in that order; each is made when it is asked for."""
        return (self.at(place) for place in range(self.size or 0))

    def sample(self, n_candidates: int, seed: int) -> list[Candidate]:
        """Draw different candidates, in time and memory for those alone; fewer where there are no more.

        Parameters
        ----------
        n_candidates : int
        seed : int
            The same seed draws the same candidates, and the first of them whatever `n_candidates` is, unless every
            parameter is a list.
        """
        if self.size is not None:
            places = _places(self.size, min(n_candidates, self.size), seed)
            return list(dict.fromkeys(self.at(place) for place in places))
        drawn = {name: distribution.scipy() for name, distribution in self.distributions.items()}
        sampler = ParameterSampler([{**grid, **drawn} for grid in self.grids], n_candidates, random_state=seed)
        candidates = (Candidate({name: plain(value) for name, value in params.items()}) for params in sampler)
        return list(dict.fromkeys(candidates))

    @cached_property
    def _merged(self) -> list[Candidate] | None:
        """The different candidates of grids that overlap, where they are few enough to list."""
        if sum(self.sizes) > MOST_LISTED or not any(_overlap(*pair) for pair in combinations(self.grids, 2)):
            return None
        combined = (
            _combination(values, place)
            for values, size in zip(self.lists or [], self.sizes, strict=True)
            for place in range(size)
        )
        return list(dict.fromkeys(combined))


def _overlap(one: Mapping[str, Sequence[Any]], other: Mapping[str, Sequence[Any]]) -> bool:
    """Whether two grids have a candidate in common."""
    return one.keys() == other.keys() and all(_texts(one[name]) & _texts(other[name]) for name in one)


def _texts(values: Sequence[Any]) -> set[str]:
    return {json.dumps(value, sort_keys=True) for value in values}


def _combination(values: Mapping[str, Sequence[Any]], place: int) -> Candidate:
    params = {}
    for name in sorted(values, reverse=True):  # the last name changes fastest
        place, which = divmod(place, len(values[name]))
        params[name] = values[name][which]
    return Candidate(dict(reversed(params.items())))


def _places(size: int, n_places: int, seed: int) -> list[int]:
    """Draw as ``ParameterSampler`` does where it can, which is up to 2^63."""
    if size <= _INT64.max:
        return [int(place) for place in sample_without_replacement(size, n_places, random_state=seed)]
    return distinct_below(size, n_places, random.Random(seed))


def distinct_below(size: int, n_places: int, generator: random.Random) -> list[int]:
    """Draw different numbers below `size`, which may be beyond what ``random.sample`` takes."""
    if size <= _INT64.max:
        return generator.sample(range(size), n_places)
    drawn: dict[int, None] = {}
    while len(drawn) < n_places:
        drawn.setdefault(generator.randrange(size))
    return list(drawn)


def plain(value: Any) -> Any:
    """Return a value as YAML would say it: numpy's numbers become Python's."""
    return value.item() if isinstance(value, np.generic) else value
