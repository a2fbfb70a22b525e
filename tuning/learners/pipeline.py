"""Pipelines: equal steps fitted once per fold, the last step by its own learner on what comes out of them.

Scorers see the last step's model and the test rows as the steps have transformed them: that is what the pipeline's own
``predict`` would have made, without transforming them again for every candidate.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

import numpy as np

from tuning.dataset import Dataset
from tuning.learners import learner_for
from tuning.learners.base import Curves, Fitted, FoldRows, Judge, Learner, Place, Values
from tuning.learners.steps import FittedSteps, active, can_be_shared, copied, fitted_steps, signature
from tuning.learners.unfitted import class_name, fresh, has_seed

Made = TypeVar("Made")

_ENCODERS = ("sklearn.ColumnTransformer", "sklearn.OneHotEncoder", "sklearn.OrdinalEncoder", "sklearn.TargetEncoder")


class PipelineLearner(Learner):
    """scikit-learn's and imbalanced-learn's pipelines."""

    name: ClassVar[str] = "pipeline"

    def knows(self, estimator: Any) -> bool:
        """Whether `estimator` is a pipeline of steps, of the exact class."""
        kind = type(estimator)
        return kind.__name__ == "Pipeline" and kind.__module__.endswith(".pipeline")

    def place(self, estimator: Any, n_values: int = 0) -> Place:
        """Where the last step's fits run."""
        return _inner(estimator).place(_last(estimator), n_values)

    def free(self, estimator: Any) -> Mapping[str, str]:
        """What is free for the last step, where the steps before it are shared."""
        if not _shares_steps(estimator):
            return {}
        prefix = estimator.steps[-1][0]
        return {f"{prefix}__{name}": why for name, why in _inner(estimator).free(_last(estimator)).items()}

    def preparation(self, estimator: Any) -> tuple[str, ...]:
        """Stand for the first step, the first two, and so on."""
        steps = estimator.steps[:-1]
        if not _shares_steps(estimator) or not active(steps):
            return ()
        return tuple(signature(steps[:place]) for place in range(1, len(steps) + 1))

    def whole(self, estimators: Sequence[Any]) -> Any:
        """Return a pipeline whose last step serves the last steps of all."""
        if not _shares_steps(estimators[0]):
            return estimators[0]
        last = _inner(estimators[0]).whole([_last(estimator) for estimator in estimators])
        whole = fresh(estimators[0])
        return whole.set_params(**{whole.steps[-1][0]: last})

    def fit(self, estimator: Any, rows: FoldRows) -> Fitted:
        """Fit the steps, or take those that are there, then the last one."""
        if not _shares_steps(estimator):
            return super().fit(estimator, rows)
        after = self._after_steps(estimator, rows)
        fitted = _inner(estimator).fit(_last(estimator), after)
        names = ", ".join(name for name, _ in active(estimator.steps[:-1]))
        shared = [f"steps {names} fitted once per fold"] if names else []
        return Fitted((after.done, fitted), after.done.seconds + fitted.seconds, (), [*shared, *fitted.shared])

    def cut(self, fitted: Fitted, estimator: Any) -> Any:
        """Return the last step of `estimator` as it would have become; it is judged on transformed rows."""
        if not _shares_steps(estimator):
            return fitted.model
        return _inner(estimator).cut(fitted.model[1], _last(estimator))

    def judged_on(self, estimator: Any, rows: FoldRows) -> Dataset:
        """Return the test rows as the steps make them; a pipeline that shares none is given them as they are."""
        if not _shares_steps(estimator):
            return rows.test()
        return _inner(estimator).judged_on(_last(estimator), self._after_steps(estimator, rows))

    def seconds(self, fitted: Fitted, estimator: Any) -> float:
        """Seconds of the steps, and what the last step alone would have taken."""
        if not _shares_steps(estimator):
            return fitted.seconds
        done, inner = fitted.model
        return float(done.seconds + _inner(estimator).seconds(inner, _last(estimator)))

    def can_stop_early(self, estimator: Any) -> bool:
        """Where the last step can."""
        return _shares_steps(estimator) and _inner(estimator).can_stop_early(_last(estimator))

    def curves(self, estimator: Any, rows: FoldRows, judge: Judge, patience: int) -> Curves:
        """Score every round of the last step."""
        after = self._after_steps(estimator, rows)
        curves = _inner(estimator).curves(_last(estimator), after, judge, patience)
        return replace(curves, seconds=curves.seconds + after.done.seconds)

    def rounds_name(self, estimator: Any) -> str | None:
        """Name the last step's rounds as the pipeline knows them."""
        name = _inner(estimator).rounds_name(_last(estimator))
        return name and f"{estimator.steps[-1][0]}__{name}"

    def rounds_of(self, estimator: Any) -> int | None:
        """Rounds of the last step."""
        return _inner(estimator).rounds_of(_last(estimator))

    def with_threads(self, estimator: Any, threads: int) -> Any:
        """Hold every step to so many threads."""
        for _, step in active(estimator.steps):
            learner_for(step).with_threads(step, threads)
        return estimator

    def on_device(self, estimator: Any, device: str) -> Any:
        """Set the last step's graphics card."""
        _inner(estimator).on_device(_last(estimator), device)
        return estimator

    def devices(self, estimator: Any) -> Sequence[str]:
        """Graphics cards of the last step."""
        return _inner(estimator).devices(_last(estimator))

    def cost(self, estimator: Any) -> float:
        """Cost of the last step."""
        return _inner(estimator).cost(_last(estimator))

    def size(self, estimator: Any) -> float | None:
        """Size of the last step's model."""
        return _inner(estimator).size(_last(estimator))

    def ignores_seed(self, estimator: Any) -> bool:
        """Where the last step does, and the steps before it have seeds."""
        steps = active(estimator.steps[:-1])
        return all(has_seed(step) for _, step in steps) and _inner(estimator).ignores_seed(_last(estimator))

    def draws_above(self, estimator: Any) -> float:
        """That of the last step."""
        return _inner(estimator).draws_above(_last(estimator))

    def tolerance(self, estimator: Any) -> float:
        """That of the last step."""
        return _inner(estimator).tolerance(_last(estimator))

    def extra_parameters(self, estimator: Any) -> Collection[str]:
        """Parameters of every step that its ``get_params()`` does not list."""
        steps = active(estimator.steps)
        return [f"{name}__{extra}" for name, step in steps for extra in learner_for(step).extra_parameters(step)]

    def synonyms(self, estimator: Any) -> Collection[Collection[str]]:
        """Names of every step's parameters, as the pipeline knows them."""
        steps = active(estimator.steps)
        groups = [(name, group) for name, step in steps for group in learner_for(step).synonyms(step)]
        return [[f"{name}__{synonym}" for synonym in group] for name, group in groups]

    def refusal(self, estimator: Any, parameter: str, value: Any) -> str | None:
        """What the step that `parameter` belongs to refuses."""
        step, name = _owner(estimator, parameter)
        return learner_for(step).refusal(step, name, value) if step is not None else None

    def approximation(self, estimator: Any, parameter: str, value: Any) -> str | None:
        """What the step that `parameter` belongs to gives up."""
        step, name = _owner(estimator, parameter)
        return learner_for(step).approximation(step, name, value) if step is not None else None

    def takes_categories(self, estimator: Any, values: Values) -> bool:
        """Whether the first step encodes categories, or takes them as they are."""
        step, learner, of_step = _first(estimator, values)
        return class_name(step) in _ENCODERS or learner.takes_categories(step, of_step)

    def with_categories(self, estimator: Any, columns: Sequence[str], values: Values) -> Mapping[str, Any]:
        """Tell the first step."""
        step, learner, of_step = _first(estimator, values)
        name = estimator.steps[0][0]
        told = learner.with_categories(step, columns, of_step)
        return {f"{name}__{parameter}": value for parameter, value in told.items()}

    def takes_gaps_in_categories(self, estimator: Any) -> bool:
        """Whether the first step does."""
        step = estimator.steps[0][1]
        return learner_for(step).takes_gaps_in_categories(step)

    def strange_characters(self, estimator: Any) -> str:
        """Return what the first step does not take: later ones see what it makes of the columns."""
        step = estimator.steps[0][1]
        return learner_for(step).strange_characters(step)

    def _after_steps(self, estimator: Any, rows: FoldRows) -> RowsAfterSteps:
        steps = estimator.steps[:-1]
        done = fitted_steps(steps, rows, self.takes_codes(estimator))
        name = signature(steps) if steps else ""
        return RowsAfterSteps(rows, done, name, shared=_inner(estimator).only_reads)


class RowsAfterSteps:
    """The rows of a fold as they come out of steps; see ``tuning.learners.base.FoldRows``.

    Parameters
    ----------
    rows : FoldRows
        As they go in.
    done : FittedSteps
    name : str
        Stands for the steps.
    shared : bool
        Whether who takes the rows only reads them; else each call makes copies.
    """

    def __init__(self, rows: FoldRows, done: FittedSteps, name: str, shared: bool) -> None:
        self._rows = rows
        self._name = name
        self._shared = shared
        self.done = done
        self.threads = rows.threads
        self.control = rows.control

    @property
    def has_all_classes(self) -> bool:
        """Whether the training rows have a row of each class."""
        training = self.done.training
        return training.classes is None or len(np.unique(training.y)) == len(training.classes)

    def training(self) -> Dataset:
        """Training rows after the steps."""
        return self.done.training if self._shared else _copied(self.done.training)

    def test(self) -> Dataset:
        """Test rows after the steps."""
        return _copied(self.done.test)

    def shared_test(self) -> Dataset:
        """Test rows after the steps, one copy for all."""
        return self.done.test

    def once(self, name: str, make: Callable[[], Made], for_all: bool = True) -> Made:
        """Return what `name` stands for in this fold after these steps."""
        return self._rows.once(f"{self._name} {name}", make, for_all and not self._name)


def _copied(data: Dataset) -> Dataset:
    weight = None if data.sample_weight is None else data.sample_weight.copy()
    return replace(data, X=copied(data.X), y=data.y.copy(), sample_weight=weight)


def _last(estimator: Any) -> Any:
    return estimator.steps[-1][1]


def _inner(estimator: Any) -> Learner:
    return learner_for(_last(estimator))


def _first(estimator: Any, values: Values) -> tuple[Any, Learner, Values]:
    name, step = estimator.steps[0]
    return step, learner_for(step), lambda parameter: values(f"{name}__{parameter}")


def _owner(estimator: Any, parameter: str) -> tuple[Any, str]:
    step, _, name = parameter.partition("__")
    return dict(estimator.steps).get(step), name


def _shares_steps(estimator: Any) -> bool:
    """Whether the steps before the last can be fitted once for several candidates, outside the pipeline itself."""
    plain = estimator.memory is None and not estimator.verbose and getattr(estimator, "transform_input", None) is None
    return plain and bool(active(estimator.steps[-1:])) and can_be_shared(estimator.steps[:-1])
