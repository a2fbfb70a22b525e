"""Does the spec make sense? Everything that can be known before data are read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from errors import SpecError, did_you_mean
from tuning.learners import learner_for
from tuning.learners.devices import check_devices
from tuning.spec import file as spec_file
from tuning.spec.estimators import make_estimator
from tuning.spec.messages import problem
from tuning.strategies import STRATEGIES, Options, Setting

if TYPE_CHECKING:
    from tuning.spec.sweep_spec import SweepSpec


def check(spec: SweepSpec) -> None:
    """Check what pydantic cannot.

    Raises
    ------
    SpecError
        One line that begins with the key.
    """
    _check_parameters(spec)
    _check_scorers(spec)
    _check_early_stopping(spec)
    _check_search(spec)
    check_devices(value for _, name, value in _values(spec) if name.rpartition("__")[2] == "device")


def options_of(spec: SweepSpec) -> Options:
    """Return what the spec tells its strategy.

    Raises
    ------
    SpecError
        There is no such strategy, or it does not know such an option.
    """
    name = spec.search.strategy
    if name not in STRATEGIES:
        hint = did_you_mean(name, STRATEGIES) or f" Known strategies: {', '.join(STRATEGIES)}."
        raise SpecError(f"search.strategy: there is no strategy '{name}'.{hint}")
    try:
        options: Options = spec_file.validate(STRATEGIES[name].Options, spec.search.model_extra or {})
    except SpecError as error:
        raise SpecError(f"search.{error}") from error
    return options


def check_grid(grid: Any) -> None:
    """Refuse what is neither a mapping of lists nor a list of such mappings."""
    if isinstance(grid, dict):
        return _check_grid_values(grid)
    if not isinstance(grid, list):
        raise problem(f"expected a mapping of lists, or a list of such mappings, got {grid!r}")
    for place, each in enumerate(grid):
        if not isinstance(each, dict):
            raise problem(f"expected a mapping of lists, got {each!r}", str(place))
        _check_grid_values(each, f"{place}.")
    return None


def _check_grid_values(grid: Mapping[Any, Any], within: str = "") -> None:
    """Refuse a grid entry that is no list, an empty one, or one that names a value twice."""
    for key, values in grid.items():
        name = f"{within}{key}"
        if not isinstance(values, list):
            raise problem(f"expected a list of values, got {values!r}. Write [{values}]", str(name))
        if not values:
            raise problem("the list is empty. Give at least one value, or remove the key", str(name))
        texts = [_json(name, value) for value in values]
        for place, text in enumerate(texts):
            if text in texts[:place]:
                raise problem(f"the value {text} stands twice. Remove one", str(name))


def _json(name: Any, value: Any) -> str:
    try:
        return json.dumps(value, sort_keys=True)
    except TypeError:
        kind = type(value).__name__
        raise problem(f"{value} is a {kind}; expected numbers, text, booleans, lists or null", str(name)) from None


def _values(spec: SweepSpec) -> Iterator[tuple[str, str, Any]]:
    """Every value that the spec can give a parameter: section, parameter, value."""
    yield from (("fixed", name, value) for name, value in spec.fixed.items())
    for grid in spec.space.grids:
        yield from (("grid", name, value) for name, values in grid.items() for value in values)
    for name, distribution in spec.distributions.items():
        yield from (("distributions", name, value) for value in distribution.examples)


def _first(spec: SweepSpec) -> Any:
    """Build one estimator that the spec allows; the first value of each parameter stands for the others."""
    values = {name: value for _, name, value in reversed(list(_values(spec)))}
    return make_estimator(spec.estimator, values)


def known_parameters(estimator: Any) -> frozenset[str]:
    """Name every parameter that `estimator` takes, those included that only its library knows."""
    return frozenset([*estimator.get_params(deep=True), *learner_for(estimator).extra_parameters(estimator)])


def _check_parameters(spec: SweepSpec) -> None:
    estimator = make_estimator(spec.estimator, {})
    known = known_parameters(estimator)
    sections: list[tuple[str, Iterable[str]]] = [
        ("fixed", spec.fixed),
        ("grid", dict.fromkeys(name for grid in spec.space.grids for name in grid)),
        ("distributions", spec.distributions),
    ]
    seen: dict[str, str] = {}
    for section, params in sections:
        for name in params:
            if name not in known:
                hint = did_you_mean(name, known)
                raise SpecError(f"{section}.{name}: {type(estimator).__name__} has no parameter '{name}'.{hint}")
            if name in seen:
                raise SpecError(f"{section}.{name}: '{name}' also stands under {seen[name]}. Remove one of the two.")
            seen[name] = section
    learner = learner_for(estimator)
    for section, name, value in _values(spec):
        if (refusal := learner.refusal(estimator, name, value)) is not None:
            raise SpecError(f"{section}.{name}: {refusal}.")


def _check_scorers(spec: SweepSpec) -> None:
    if not spec.scorers:
        raise SpecError("scoring: the list is empty. Name at least one scorer, such as neg_log_loss.")
    for metric in spec.metrics:
        try:
            scorer = metric.build()
        except SpecError as error:
            raise SpecError(f"scoring: {error}") from error
        _check_response(spec, metric.name, scorer)
    if len(set(spec.scorers)) < len(spec.scorers):
        raise SpecError("scoring: a scorer stands twice. Remove one.")
    chosen = spec.rule.scorer
    if chosen is not None and chosen not in spec.scorers:
        hint = did_you_mean(chosen, spec.scorers)
        raise SpecError(f"refit: '{chosen}' is not among the scorers {', '.join(spec.scorers)}.{hint}")
    if len(spec.scorers) > 1 and chosen is None:
        raise SpecError(
            f"refit: the key is missing. With several scorers, name the one that chooses the winner: "
            f"refit: {spec.scorers[0]}."
        )


def _check_response(spec: SweepSpec, name: str, scorer: Any) -> None:
    """Refuse a scorer of probabilities for an estimator that has none, which would fail every single fit."""
    needed: Any = getattr(scorer, "_response_method", "predict")  # not public; without it, fits report
    methods = (needed,) if isinstance(needed, str) else tuple(needed)
    estimator = _first(spec)
    if methods != ("default",) and not any(hasattr(estimator, method) for method in methods):
        raise SpecError(
            f"scoring: {name} needs {' or '.join(methods)}, which {type(estimator).__name__} does not have. "
            "Choose another scorer or estimator."
        )


def _check_early_stopping(spec: SweepSpec) -> None:
    """Refuse what would fail or leak in every fold, and an early stopping that has nothing to stop."""
    for section, name, value in _values(spec):
        if name.rpartition("__")[2] == "early_stopping_rounds" and value is not None:
            raise SpecError(
                f"{section}.{name}: a fold has no rows to stop on but its test rows, one fold at a time, which would "
                "leak. Remove it and write early_stopping: {patience: 20}, which chooses the rounds over all folds."
            )
    if spec.early_stopping is None:
        return
    first = _first(spec)
    learner = learner_for(first)
    if not learner.can_stop_early(first):
        kind = type(getattr(first, "steps", [("", first)])[-1][1]).__name__
        raise SpecError(
            f"early_stopping: {kind} with these parameters has no rounds of which the first are a shorter fit. "
            "Remove the key."
        )
    rounds = learner.rounds_name(first)
    if rounds is not None and spec.space.listed(rounds):
        section = "distributions" if rounds in spec.distributions else "grid"
        raise SpecError(f"{section}.{rounds}: early_stopping chooses it. Put the largest allowed under fixed.")
    if spec.search.strategy in ("racing", "halving"):
        raise SpecError(f"early_stopping: it needs every fold in full, which {spec.search.strategy} does not give.")


def _check_search(spec: SweepSpec) -> None:
    options = options_of(spec)
    n_folds = spec.cv.n_folds or spec.cv.folds  # a stand-in where the data decide: only options are checked here
    setting = Setting(n_folds, spec.refit_scorer, 1 / (n_folds - 1), spec.budget.max_candidates)
    STRATEGIES[spec.search.strategy](spec.space, options, setting)
