"""From the spec's ``search`` to a strategy, and what the choice gives up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from errors import SpecError, did_you_mean
from tuning.folds import share_tested
from tuning.grouping import relative_size
from tuning.learners import learner_for
from tuning.spec.checks import options_of
from tuning.spec.estimators import make_estimator
from tuning.spec.space import MOST_LISTED
from tuning.spec.sweep_spec import SweepSpec
from tuning.strategies import STRATEGIES, Setting, Strategy
from tuning.workload import Workload

MOST_GIVEN = 10_000_000
"""Of candidates that are asked for by number; each is kept in memory, with its scores."""

_LOOKED_AT = 100  # candidates, of all that there may be


def make_strategy(spec: SweepSpec, workload: Workload) -> Strategy:
    """Build the strategy that `spec` names.

    Raises
    ------
    SpecError
        The strategy and the space do not go together.
    """
    folds = workload.folds
    setting = Setting(len(folds), spec.refit_scorer, share_tested(folds), spec.budget.max_candidates)
    options = options_of(spec.search.strategy, spec.search.options)
    strategy: Strategy = STRATEGIES[spec.search.strategy](spec.space, options, setting)
    return strategy


def check_plan(spec: SweepSpec, workload: Workload) -> None:
    """Refuse a search that needs rounds for an estimator that has none.

    Raises
    ------
    SpecError
    """
    resource = getattr(options_of(spec.search.strategy, spec.search.options), "resource", None)
    if resource == "rounds" and learner_for(workload.estimator).rounds_name(workload.estimator) is None:
        kind = type(getattr(workload.estimator, "steps", [("", workload.estimator)])[-1][1]).__name__
        raise SpecError(f"search.resource: {kind} has no rounds to give a share of. Write resource: rows.")


def check_size(spec: SweepSpec) -> None:
    """Refuse a whole grid that nobody means to wait for.

    Raises
    ------
    SpecError
        There are more than `MOST_LISTED` candidates, and no number was given for how many to try.
    """
    if refusal := too_large(spec):
        raise SpecError(refusal)


def check_rule(spec: SweepSpec, workload: Workload) -> None:
    """Refuse to look for the simplest model where nobody can know which that is.

    Raises
    ------
    SpecError
    """
    rule = spec.rule
    if rule.rule == "best":
        return
    some = spec.space.sample(_LOOKED_AT, seed=0)
    if rule.simplest:
        known = {name for candidate in some for name in candidate.params}
        if wrong := [name for name in rule.simplest if name not in known]:
            raise SpecError(f"refit.simplest.{wrong[0]}: it does not vary.{did_you_mean(wrong[0], known)}")
    elif any(relative_size(workload, candidate) is None for candidate in some):
        kind = type(getattr(workload.estimator, "steps", [("", workload.estimator)])[-1][1]).__name__
        name = next(iter(some[0].params), "C")
        raise SpecError(
            f"refit.rule: which {kind} is the simplest is not known before it is fitted. Say by which parameter, as in "
            f"simplest: {{{name}: low}}, or use rule: best."
        )


def candidates_asked(spec: SweepSpec) -> int | None:
    """How many candidates `spec` asks for at most; None where it is not said."""
    numbers = (spec.space.size, _number_given(spec))
    return min((number for number in numbers if number is not None), default=None)


def _number_given(spec: SweepSpec) -> int | None:
    options = options_of(spec.search.strategy, spec.search.options)
    return spec.budget.max_candidates or getattr(options, "candidates", None)


def too_large(spec: SweepSpec) -> str:
    """Say that the grid is too large to be tried whole, and what to do; empty where it is not."""
    size, asked = spec.space.size, candidates_asked(spec)
    if asked is not None and asked > MOST_GIVEN:
        return (
            f"search: {asked:,} candidates are more than the {MOST_GIVEN:,} that a sweep can keep apart. Ask for fewer."
        )
    if size is None or size <= MOST_LISTED or _number_given(spec) is not None:
        return ""
    return (
        f"grid: {size:,} candidates are more than the {MOST_LISTED:,} that a sweep tries whole. Draw from them "
        "(search: {strategy: random, candidates: 100}), set budget.max_candidates, or shorten the lists."
    )


def may_stop(spec: SweepSpec) -> bool:
    """Whether there may be fewer fits than every candidate on every fold."""
    limited = spec.budget.max_time is not None or spec.search.options.get("patience") is not None
    return limited or STRATEGIES[spec.search.strategy].approximation is not None


def approximations(spec: SweepSpec) -> Sequence[str]:
    """Say what `spec` gives up for speed, a sentence each; nothing where every figure is exact."""
    said = [STRATEGIES[spec.search.strategy].approximation]
    estimator = make_estimator(spec.estimator, {})
    learner = learner_for(estimator)
    said += [learner.approximation(estimator, name, value) for name, value in _values(spec)]
    if spec.budget.max_candidates is not None or spec.budget.max_time is not None:
        said.append("the budget may leave candidates untried")
    return list(dict.fromkeys(sentence for sentence in said if sentence is not None))


def _values(spec: SweepSpec) -> Iterator[tuple[str, Any]]:
    """Every value that the spec gives a parameter; of a range its lower end, the coarsest of it."""
    yield from spec.fixed.items()
    yield from ((name, value) for grid in spec.space.grids for name, values in grid.items() for value in values)
    for name, distribution in spec.distributions.items():
        yield from ((name, value) for value in distribution.examples)
