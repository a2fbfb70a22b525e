"""Does the spec make sense? Everything that can be known before data are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn.metrics import get_scorer, get_scorer_names

from errors import SpecError, did_you_mean
from tuning.boosting import BOOSTER_PARAMETERS, is_boosted
from tuning.estimators import estimator_class, make_estimator
from tuning.strategies import STRATEGIES

if TYPE_CHECKING:
    from tuning.spec import SweepSpec


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
    if spec.search.strategy not in STRATEGIES:
        known = ", ".join(STRATEGIES)
        hint = did_you_mean(spec.search.strategy, STRATEGIES) or f" Known strategies: {known}."
        raise SpecError(f"search.strategy: there is no strategy '{spec.search.strategy}'.{hint}")


def _check_parameters(spec: SweepSpec) -> None:
    estimator = make_estimator(spec.estimator, {})
    known = {*estimator.get_params(), *(BOOSTER_PARAMETERS if is_boosted(estimator) else ())}
    class_name = estimator_class(spec.estimator).__name__
    for section, params in (("fixed", spec.fixed), ("grid", spec.grid)):
        for name in params:
            if name not in known:
                hint = did_you_mean(name, known)
                raise SpecError(f"{section}.{name}: {class_name} has no parameter '{name}'.{hint}")
    for name in spec.grid:
        if name in spec.fixed:
            raise SpecError(f"grid.{name}: '{name}' also stands under fixed. Remove one of the two.")


def _check_scorers(spec: SweepSpec) -> None:
    if not spec.scorers:
        raise SpecError("scoring: the list is empty. Name at least one scorer, such as neg_log_loss.")
    known = get_scorer_names()
    for name in spec.scorers:
        if name not in known:
            raise SpecError(f"scoring: scikit-learn has no scorer '{name}'.{did_you_mean(name, known)}")
        _check_response(spec, name)
    if len(set(spec.scorers)) < len(spec.scorers):
        raise SpecError("scoring: a scorer stands twice. Remove one.")
    if spec.refit is not None and spec.refit not in spec.scorers:
        hint = did_you_mean(spec.refit, spec.scorers)
        raise SpecError(f"refit: '{spec.refit}' is not among the scorers {', '.join(spec.scorers)}.{hint}")
    if len(spec.scorers) > 1 and spec.refit is None:
        raise SpecError(
            f"refit: the key is missing. With several scorers, name the one that chooses the winner: "
            f"refit: {spec.scorers[0]}."
        )


def _check_response(spec: SweepSpec, scorer: str) -> None:
    """Refuse a scorer of probabilities for an estimator that has none, which would fail every single fit."""
    needed: Any = getattr(get_scorer(scorer), "_response_method", "predict")  # not public; without it, fits report
    methods = (needed,) if isinstance(needed, str) else tuple(needed)
    estimator = make_estimator(spec.estimator, {**spec.fixed, **{k: v[0] for k, v in spec.grid.items()}})
    if methods != ("default",) and not any(hasattr(estimator, method) for method in methods):
        raise SpecError(
            f"scoring: {scorer} needs {' or '.join(methods)}, which {type(estimator).__name__} does not have. "
            "Choose another scorer or estimator."
        )


def _check_early_stopping(spec: SweepSpec) -> None:
    """Refuse what would fail in every fold: there are no validation rows inside a fold to stop on."""
    name = "early_stopping_rounds"
    for section, params in (("fixed", spec.fixed), ("grid", spec.grid)):
        if params.get(name) not in (None, [None]):
            raise SpecError(
                f"{section}.{name}: a fold has no rows to stop on but its test rows, which would leak. "
                "Remove it and put several n_estimators in the grid: they share one booster and cost no more."
            )
