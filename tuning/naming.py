"""What the candidates of a sweep are called: ``#07 max_depth=3 learning_rate=0.0725``.

The number is the place in the order of proposal, so that runs, plots, tables and the terminal can speak of the same
candidate; what follows are the parameters that vary, in the spec's order, with as many digits as tell them apart. Exact
values are in the params. Names are given once, when a candidate is proposed, and travel with it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from tuning.candidates import Candidate
from tuning.results.fold_score import FoldScore
from tuning.spec.objects import describe
from tuning.spec.space import Space
from tuning.spec.sweep_spec import SweepSpec

_DIGITS = 4
_MOST_DIGITS = 17
_LONGEST_VALUE = 28
_EXPONENT = re.compile(r"e([+-])0*(\d+)$")

Kind = TypeVar("Kind", bound=Candidate)


class Names:
    """Gives names; a candidate keeps the one that it was given first.

    Parameters
    ----------
    grids : sequence of mapping of str to sequence
        The values that parameters are chosen from, one grid after the other.
    drawn : iterable of str
        Parameters that are drawn from ranges beside them.
    n_candidates : int or None
        In all, if that is known: numbers are as wide as the last one, and sort.
    """

    def __init__(
        self,
        grids: Sequence[Mapping[str, Sequence[Any]]],
        drawn: Iterable[str] = (),
        n_candidates: int | None = None,
    ) -> None:
        self._varied = {**dict.fromkeys(_listed(grids)), **dict.fromkeys(drawn)}
        self._short = _short_names(self._varied)
        self._digits = {name: _digits(values) for name, values in _listed(grids).items()}
        self._width = len(str(n_candidates or 1))
        self._given: dict[Candidate, str] = {}

    @classmethod
    def of(cls, space: Space, n_candidates: int | None) -> Names:
        """Give names to what is proposed of `space`."""
        return cls(space.grids, space.distributions, n_candidates)

    @property
    def varied(self) -> list[str]:
        """The parameters that vary, in the spec's order."""
        return list(self._varied)

    def named(self, candidate: Kind, number: int | None = None) -> Kind:
        """Return the candidate with its name; its `number` is the next one unless given."""
        label = self._given.get(candidate)
        if label is None:
            number = number or len(self._given) + 1
            label = self._given[candidate] = f"#{number:0{self._width}} {self._words(candidate)}".strip()
        return candidate if candidate.label == label else replace(candidate, label=label)

    def on(self, scores: Iterable[FoldScore]) -> list[FoldScore]:
        """Return the scores with named candidates, wherever they come from."""
        return [replace(score, candidate=self.named(score.candidate)) for score in scores]

    def _words(self, candidate: Candidate) -> str:
        return " ".join(
            f"{self._short[name]}={short_value(candidate.params[name], self._digits.get(name, _DIGITS))}"
            for name in self._varied
            if name in candidate.params
        )


def estimator_name(spec: SweepSpec) -> str:
    """Return the estimator in a few words; of a pipeline its steps."""
    steps = [step for each in spec.estimator for step in each.values()] if isinstance(spec.estimator, list) else None
    return describe(spec.estimator) if steps is None else " → ".join(map(_step_name, steps))


def short_value(value: Any, digits: int = _DIGITS) -> str:
    """Say a value in a few characters; a fraction with so many digits at most."""
    if isinstance(value, float):
        return _EXPONENT.sub(_short_exponent, f"{value:.{digits}g}")
    words = " ".join(describe(value).split())
    return words if len(words) <= _LONGEST_VALUE else words[: _LONGEST_VALUE - 1] + "…"


def _step_name(step: object) -> str:
    treats_columns = isinstance(step, list) or (isinstance(step, Mapping) and "class" not in step and "columns" in step)
    return "columns" if treats_columns else describe(step)


def _short_exponent(found: re.Match[str]) -> str:
    return f"e{found[1].replace('+', '')}{found[2]}"


def _listed(grids: Sequence[Mapping[str, Sequence[Any]]]) -> dict[str, list[Any]]:
    """Return the values of each parameter that has several, or that only some of the grids have."""
    values: dict[str, dict[str, Any]] = {}
    for grid in grids:
        for name, listed in grid.items():
            values.setdefault(name, {}).update((repr(value), value) for value in listed)
    return {
        name: list(found.values())
        for name, found in values.items()
        if len(found) > 1 or any(name not in grid for grid in grids)
    }


def _digits(values: Iterable[Any]) -> int:
    """Return how many digits tell the fractions among `values` apart: four, or more if need be."""
    fractions = {value for value in values if isinstance(value, float)}
    enough = (
        n for n in range(_DIGITS, _MOST_DIGITS) if len({f"{value:.{n}g}" for value in fractions}) == len(fractions)
    )
    return next(enough, _MOST_DIGITS)


def _short_names(names: Iterable[str]) -> dict[str, str]:
    """Return each name without the steps before ``__``, where what is left is no other parameter's too."""
    last = {name: name.rpartition("__")[2] for name in names}
    shared = Counter(last.values())
    return {name: short if shared[short] == 1 else name for name, short in last.items()}
