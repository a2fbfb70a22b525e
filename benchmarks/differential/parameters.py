"""What is fixed and what varies: values of the estimator's and the steps' parameters, each with its text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.differential.drawing import Draw, Written
from benchmarks.differential.families import CLASS_WEIGHT, Family
from benchmarks.differential.steps import Step

MODEL = "model"
"""The name of the last step."""

ROUNDS = "n_estimators"
"""What early stopping chooses."""

_MOST_CANDIDATES = 6

Grid = Mapping[str, Sequence[Written]]


@dataclass(frozen=True)
class Parameters:
    """Values by the parameter's full name.

    Attributes
    ----------
    fixed : mapping of str to Written
    grids : sequence of mapping of str to sequence of Written
        One, or two whose candidates come one after the other.
    """

    fixed: Mapping[str, Written]
    grids: Sequence[Grid]

    @property
    def yaml(self) -> list[str]:
        """The lines of a spec."""
        fixed = ", ".join(f"{name}: {value.text}" for name, value in self.fixed.items())
        lines = [f"fixed: {{{fixed}}}"] if fixed else []
        written = [
            [f"{name}: [{', '.join(value.text for value in values)}]" for name, values in grid.items()]
            for grid in self.grids
        ]
        if len(written) == 1:
            return [*lines, "grid:", *(f"  {entry}" for entry in written[0])]
        return [*lines, "grid:", *(f"  - {{{', '.join(entries)}}}" for entries in written)]

    def values(self, parameter: str = "") -> list[Written]:
        """Every value, or those of the parameters that end in this name."""
        varied = [(name, value) for grid in self.grids for name, values in grid.items() for value in values]
        pairs = [*self.fixed.items(), *varied]
        return [value for name, value in pairs if parameter in ("", name.rpartition("__")[2])]

    def stopped_early(self, draw: Draw, prefix: str) -> Parameters:
        """Give the same with the rounds fixed at the most allowed, for the folds to choose from."""
        rounds = f"{prefix}{ROUNDS}"
        grids = [{name: values for name, values in grid.items() if name != rounds} for grid in self.grids]
        depths: Grid = {f"{prefix}max_depth": [draw.written(depth) for depth in (2, 3)]}
        grid = next((grid for grid in grids if grid), depths)
        fixed = {**self.fixed, rounds: draw.written(draw.one([3, 5, 8]))}
        return Parameters({name: value for name, value in fixed.items() if name not in grid}, [grid])


def random_parameters(draw: Draw, family: Family, steps: Sequence[Step], labels: tuple[Any, ...]) -> Parameters:
    """Draw what is fixed and what varies."""
    prefix = f"{MODEL}__" if steps else ""
    fixed = {f"{prefix}{name}": value for name, value in family.fixed.items()}
    knobs = {f"{prefix}{name}": values for name, values in family.knobs.items()}
    for step in steps:
        fixed |= {f"{step.name}__{name}": value for name, value in step.fixed.items()}
        knobs |= {f"{step.name}__{name}" if name else step.name: values for name, values in step.knobs.items()}
    grids = [_grid(draw, family, knobs, prefix, labels)]
    if draw.chance(0.12):
        grids.append(_grid(draw, family, knobs, prefix, labels))
    if draw.chance(0.06):
        grids[0] |= _with_a_bad_one(draw, family, grids[0], prefix)
    varied = {name for grid in grids for name in grid}
    for name in [name for name in knobs if name not in varied and knobs[name] is not CLASS_WEIGHT]:
        if name not in fixed and draw.chance(0.2):
            fixed[name] = draw.one(knobs[name])
    return Parameters(
        {name: draw.written(value) for name, value in fixed.items() if name not in varied},
        [{name: [draw.written(value) for value in values] for name, values in grid.items()} for grid in grids],
    )


def _grid(
    draw: Draw, family: Family, knobs: Mapping[str, Sequence[Any]], prefix: str, labels: tuple[Any, ...]
) -> dict[str, list[Any]]:
    grid: dict[str, list[Any]] = {}
    room = _MOST_CANDIDATES
    for name in _varied(draw, list(knobs), prefix):
        values = _by_class(draw, family, labels) if knobs[name] is CLASS_WEIGHT else knobs[name]
        grid[name] = draw.some(values, 2, min(3, room)) if room > 1 else [draw.one(values)]
        room //= len(grid[name])
    return grid


def _varied(draw: Draw, names: list[str], prefix: str) -> list[str]:
    """Draw one to four parameters to vary, one of the estimator's most important ones among them."""
    own = [name for name in names if name.startswith(prefix)]
    of_steps = [name for name in names if not name.startswith(prefix)]
    first = own[0] if draw.chance(0.5) else draw.one(own)
    weighed = [name for name in own if name.endswith("class_weight") and draw.chance(0.4)]
    of_step = [draw.one(of_steps)] if of_steps and draw.chance(0.5) else []
    return list(dict.fromkeys([first, *weighed, *of_step, *draw.some(own, 0, 1)]))


def _with_a_bad_one(draw: Draw, family: Family, grid: Mapping[str, list[Any]], prefix: str) -> dict[str, list[Any]]:
    """Vary a parameter over a value that the estimator refuses, and others that it takes."""
    name, bad = draw.one(list(family.bad.items()))
    full = f"{prefix}{name}"
    good = [value for value in family.knobs.get(name, [3]) if value != bad]
    return {full: [bad, *grid.get(full, good)[:2]]}


def _by_class(draw: Draw, family: Family, labels: tuple[Any, ...]) -> list[Any]:
    """Weights by class: scikit-learn's own, and weights keyed by all of the labels or by one."""
    if family.keyed_by_code and not are_codes(labels):
        return [None, "balanced"]
    every = {label: draw.one([1, 2, 5, 0.5]) for label in labels}
    return [draw.one([None, "balanced"]), every, {draw.one(labels): draw.one([8, 20])}]


def are_codes(labels: Sequence[Any]) -> bool:
    """Whether labels are 0, 1 ... themselves, as false and true are."""
    return sorted(labels) == [*range(len(labels))]
