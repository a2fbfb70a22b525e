"""How much a sweep is, without listing it: candidates, trainings, and a sample of them that stands for all.

Up to a thousand candidates are listed and planned as the sweep will plan them. Beyond, trainings are counted from the
lists: candidates that differ only in what their learner calls free, such as the number of rounds, are one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from tuning.candidates import Candidate
from tuning.grouping import free_over, grouped
from tuning.learners import learner_for
from tuning.spec.estimators import for_candidate
from tuning.spec.space import Space
from tuning.spec.sweep_spec import SweepSpec
from tuning.strategies import Proposal, Strategy
from tuning.workload import Workload

_MOST = 1000
_LOOKED_AT = 20  # values of a parameter that may decide what is free: they are options, not numbers

_Grid = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Volume:
    """What a strategy may propose, on all folds in full.

    Attributes
    ----------
    n_candidates : int
    n_trainings : int
        Of one fold.
    sample : sequence of Proposal
        All of them, or some that stand for all.
    n_sampled : int
        Trainings of one fold that the sample comes to.
    """

    n_candidates: int
    n_trainings: int
    sample: Sequence[Proposal]
    n_sampled: int


def volume_of(spec: SweepSpec, workload: Workload, strategy: Strategy) -> Volume:
    """Count what `strategy` will propose.

    Parameters
    ----------
    spec : SweepSpec
    workload : Workload
    strategy : Strategy
        New: it may be asked here.
    """
    n_candidates, space = strategy.n_candidates or 0, spec.space
    if n_candidates <= _MOST:
        candidates = _listed(space, strategy)
        n_candidates = len(candidates)
        n_trainings = n_sampled = len(grouped(workload, candidates))
    else:
        candidates = space.sample(_MOST, seed=0)
        if n_candidates == space.size:
            candidates = _longest(space, workload, candidates)
        n_trainings = n_candidates if space.lists is None else _count(space, workload, n_candidates)
        n_sampled = len(grouped(workload, candidates))
    return Volume(n_candidates, n_trainings, [Proposal(candidate) for candidate in candidates], n_sampled)


def _listed(space: Space, strategy: Strategy) -> list[Candidate]:
    first = [proposal.candidate for proposal in strategy.ask()]
    wanted = strategy.n_candidates or 0
    more = space.sample(wanted, seed=0) if wanted > len(first) else []  # the first may be drawn from that very seed
    return list(dict.fromkeys([*first, *more]))[: max(wanted, len(first))]


def _longest(space: Space, workload: Workload, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Give all the most rounds that are listed: of a whole grid, every training goes as far as that."""
    name = workload.learner(candidates).rounds_name(workload.estimator)
    rounds = [value for value in space.listed(name) if isinstance(value, int)] if name else []
    longest = {name: max(rounds)} if name and rounds else {}
    return list(dict.fromkeys(Candidate({**each.params, **longest}) for each in candidates))


def _count(space: Space, workload: Workload, n_candidates: int) -> int:
    """Trainings that so many candidates of the space need: exact for all of them, the expected number for a draw."""
    total = sum(space.sizes)
    parts = [part for grid in space.lists or [] for part in _parts(workload, grid)]
    return sum(_count_in(workload, part, n_candidates, total) for part in parts)


def _parts(workload: Workload, grid: _Grid) -> Iterator[_Grid]:
    """Split a grid by the values that decide what is free."""
    deciding = [
        name for name, values in grid.items() if len({_free(workload, grid, {name: v}) for v in _few(values)}) > 1
    ]
    for chosen in product(*(_few(grid[name]) for name in deciding)):
        yield {**grid, **{name: [value] for name, value in zip(deciding, chosen, strict=True)}}


def _few(values: Sequence[Any]) -> Sequence[Any]:
    return values if len(values) <= _LOOKED_AT else values[:1]


def _free(workload: Workload, grid: _Grid, changed: Mapping[str, Any]) -> frozenset[str]:
    """Parameters of the grid that need no training of their own, at its last values but for those `changed`."""
    last = {name: values[-1] for name, values in grid.items()}
    try:
        estimator = for_candidate(workload.estimator, {**last, **changed}, threads=1)
    except Exception:  # what set_params refuses fails in the sweep, each for itself
        return frozenset()
    free = {} if workload.early_stopping else free_over(workload.data, learner_for(estimator), estimator)
    return frozenset(free) & frozenset(grid)


def _count_in(workload: Workload, grid: _Grid, n_drawn: int, n_total: int) -> int:
    size = math.prod(map(len, grid.values()))
    n_alike = math.prod(len(grid[name]) for name in _free(workload, grid, {}))
    if n_drawn >= n_total:
        return size // n_alike
    share = n_drawn / n_total
    distinct = -math.expm1(n_alike * math.log1p(-share)) / (n_alike * share)  # trainings for each candidate drawn
    return round(n_drawn * size // n_total * distinct)
