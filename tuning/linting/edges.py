"""GF101: the winner stands at an edge of what was tried, and may do better beyond it.

What lies beyond is written out as the next grid: the same steps, or the same factors, past the edge, as far as the
estimator allows, with the other parameters at the winner's values.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any

import yaml

from tuning.learners import learner_for
from tuning.linting.bounds import Bounds, bounds_of
from tuning.linting.finding import Finding
from tuning.results.sweep_result import SweepResult
from tuning.results.varied import are_numbers
from tuning.spec.estimators import for_candidate, make_estimator
from tuning.spec.space import Distribution
from tuning.spec.sweep_spec import SweepSpec

CODE = "GF101"
_NEAR = 0.05
_BEYOND = 2


def edges(spec: SweepSpec, result: SweepResult, idle: Collection[str] = ()) -> list[Finding]:
    """Look where the winner stands in each parameter but those that are `idle`, which have no effect."""
    best = result.best.params
    estimator = for_candidate(make_estimator(spec.estimator, spec.fixed), best, threads=None)
    lists, ranges, rounds = {}, {}, _rounds_at_their_limit(spec, result, estimator)
    for name, values in _listed(spec, best).items():
        if name not in idle and (beyond := next_values(values, best[name], bounds_of(estimator, name))):
            lists[name] = beyond
    for name, drawn in spec.distributions.items():
        if name not in idle and (further := next_range(drawn, best.get(name), bounds_of(estimator, name))):
            ranges[name] = further
    at_edges = {name: best[name] for name in (*lists, *ranges)} | rounds
    if not at_edges:
        return []
    said = ", ".join(f"`{name}={value}`" for name, value in at_edges.items())
    return [
        Finding(
            CODE,
            f"The winner stands at the edge of what was tried: {said}",
            "Look beyond it",
            _written(spec, best, lists, ranges, rounds),
            tuple(at_edges),
        )
    ]


def next_values(values: Sequence[Any], best: Any, bounds: Bounds) -> list[Any]:
    """Return the winner's value and what lies beyond it; nothing where it is at no edge, or nothing may lie there."""
    if not are_numbers(values) or len(values) < 2 or best not in (min(values), max(values)):
        return []
    ordered = sorted(values)
    up = best == ordered[-1]
    inner = ordered[-2] if up else ordered[1]
    whole = all(isinstance(value, int) for value in values)
    by_factor = _is_geometric(ordered, whole)
    found, value = [best], float(best)
    for _ in range(_BEYOND):
        value = value * (best / inner) if by_factor else value + (best - inner)
        step = round(value) if whole else float(f"{value:.4g}")
        if bounds.allow(step) and step not in found:
            found.append(step)
    return sorted(found) if len(found) > 1 else []


def next_range(drawn: Distribution, best: Any, bounds: Bounds) -> dict[str, Any]:
    """Return the range shifted by half its width past the end that the winner is near; nothing where it is not."""
    if best is None or drawn.kind == "choice":
        return {}
    scale, back = (math.log, math.exp) if drawn.kind == "loguniform" else (float, float)
    low, high, at = (scale(end) for end in (drawn.low, drawn.high, best))
    place = (at - low) / (high - low)
    if _NEAR < place < 1 - _NEAR:
        return {}
    shift = (high - low) / 2 * (1 if place > 0.5 else -1)
    whole = drawn.kind == "integers"
    ends = [bounds.nearest(back(end + shift)) for end in (low, high)]
    ends = [round(end) if whole else float(f"{end:.3g}") for end in ends]
    old_end, new_end = (drawn.high, ends[1]) if shift > 0 else (ends[0], drawn.low)
    if not old_end < new_end or not ends[0] < ends[1]:
        return {}
    return {drawn.kind: ends} | ({"step": drawn.step} if drawn.step is not None else {})


def _is_geometric(ordered: Sequence[float], whole: bool) -> bool:
    """Whether values grow by a factor rather than by a step: judged by which of the two varies less."""
    if ordered[0] <= 0:
        return False
    factors = [high / low for low, high in pairwise(ordered)]
    if len(factors) == 1:
        return factors[0] >= (4 if whole else 2)
    steps = [high - low for low, high in pairwise(ordered)]
    return max(factors) / min(factors) < max(steps) / min(steps)


def _listed(spec: SweepSpec, best: Mapping[str, Any]) -> dict[str, Sequence[Any]]:
    """Return the lists of the grid that the winner comes from."""
    for grid in spec.space.grids:
        if all(name in best and best[name] in values for name, values in grid.items()):
            return dict(grid)
    return {}


def _rounds_at_their_limit(spec: SweepSpec, result: SweepResult, estimator: Any) -> dict[str, Any]:
    """Return the number of rounds that early stopping chose, by its parameter, where it was the last that was tried."""
    chosen = result.rounds.get(result.best)
    learner = learner_for(estimator)
    limit = learner.rounds_of(estimator)
    if chosen is None or limit is None or chosen < limit:
        return {}
    return {str(learner.rounds_name(estimator)): limit}


def _written(
    spec: SweepSpec,
    best: Mapping[str, Any],
    lists: Mapping[str, list[Any]],
    ranges: Mapping[str, Any],
    rounds: Mapping[str, Any],
) -> str:
    """Write the next spec's keys: what goes beyond, and the winner's other values."""
    keys: dict[str, Any] = {}
    if rounds:
        keys["fixed"] = {**spec.fixed, **{name: 2 * value for name, value in rounds.items()}}
    drawn = {name: ranges.get(name) or _same(kept) for name, kept in spec.distributions.items()}
    order = [name for grid in spec.space.grids for name in grid if name in best and name not in drawn]
    grid = {name: lists.get(name) or [best[name]] for name in order}
    keys |= {key: value for key, value in (("grid", grid), ("distributions", drawn)) if value}
    return "\n".join(
        f"{key}: {yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000).strip()}"
        for key, value in keys.items()
    )


def _same(kept: Distribution) -> dict[str, Any]:
    return kept.model_dump(exclude_none=True, mode="json")
