"""The contract of a sampler: propose one candidate, hear what it scored."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Protocol

from errors import SpecError
from tuning.candidates import Candidate
from tuning.spec.space import Distribution, Space, plain


class Sampler(Protocol):
    """A library's TPE, in our terms.

    Make
        ``Sampler(ranges, startup, seed)``. Raises SpecError where the library is not installed. The same seed and the
        same calls give the same candidates.
    Suggest
        Returns a candidate: at random until `startup` have been learned from, or where `at_random` asks for it. It may
        be one that was suggested before: that is for the caller to see, who then asks again.
    Learn
        Called at most once for a candidate, after it was suggested. Minus infinity is a fit that failed, which tells
        nothing of the rest of the space.
    """

    def __init__(self, ranges: Mapping[str, Distribution], startup: int, seed: int) -> None: ...

    def suggest(self, at_random: bool = False) -> Candidate:
        """Propose a candidate."""

    def learn(self, candidate: Candidate, score: float) -> None:
        """Take in the mean score of a candidate; greater is better."""


def ranges_of(space: Space) -> Mapping[str, Distribution]:
    """Return what each parameter is drawn from; a list is a choice.

    Raises
    ------
    SpecError
        There is a list of grids, or nothing varies.
    """
    if len(space.grids) > 1:
        raise SpecError("search.strategy: tpe learns over one grid, and there is a list of them. Use random.")
    lists = {name: Distribution(choice=list(values)) for grid in space.grids for name, values in grid.items()}
    if not (ranges := {**lists, **space.distributions}):
        raise SpecError("distributions: the key is missing. Add what to draw from.")
    return ranges


def library(name: str) -> Any:
    """Import the library of a sampler.

    Raises
    ------
    SpecError
        It is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise SpecError(
            f"search.sampler: tpe by {name} needs the package {name}. Run: pip install -e '.[search]' in the project, "
            f"and for an environment made from conda.yaml add {name} to it."
        ) from error


def value_of(distribution: Distribution, drawn: Any) -> Any:
    """Return the parameter's value for what a library has drawn: a number, or a place in the list of values."""
    values = distribution.values
    return plain(drawn) if values is None else values[min(int(drawn), len(values) - 1)]
