"""The steps of a pipeline before its last: fitted once per fold for all candidates that have them in common.

A step is shared where a second fit would be the same to the bit: each ``random_state`` in it is a number. It is not
where it works in place (``copy=False``), since then what a scorer sees depends on how often the rows were looked at.
Steps that choose columns by a score (SelectKBest and kin) are fitted once for all numbers of columns: the scores do not
depend on the number.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import joblib
import numpy as np
from sklearn.base import clone

from tuning.dataset import Dataset
from tuning.learners.base import FoldRows
from tuning.learners.unfitted import class_name, has_seed

Step = tuple[str, Any]

_CHOOSE_BY_SCORE = {
    "sklearn.SelectKBest": "k",
    "sklearn.SelectPercentile": "percentile",
    "sklearn.SelectFpr": "alpha",
    "sklearn.SelectFdr": "alpha",
    "sklearn.SelectFwe": "alpha",
}
_IN_PLACE = ("copy", "copy_X", "copy_x", "copy_X_train")


def active(steps: Sequence[Step]) -> list[Step]:
    """Return the steps that do something."""
    return [(name, step) for name, step in steps if step is not None and not isinstance(step, str)]


def can_be_shared(steps: Sequence[Step]) -> bool:
    """Whether every one of `steps` is the same to the bit each time that it is fitted, and leaves its input alone."""
    return all(has_seed(step) and not _works_in_place(step) for _, step in active(steps))


def _works_in_place(step: Any) -> bool:
    params = step.get_params(deep=True)
    return any(name.rpartition("__")[2] in _IN_PLACE and value is False for name, value in params.items())


def signature(steps: Sequence[Step]) -> str:
    """Stand for `steps` and all their parameters; equal for steps whose fits are equal."""
    return str(joblib.hash([described(step) for _, step in active(steps)]))


def described(value: Any) -> Any:
    """Return `value` with estimators taken apart, so that equal ones are equal whoever made them."""
    if hasattr(value, "get_params") and not isinstance(value, type):
        params = sorted(value.get_params(deep=False).items())
        return (class_name(value), type(value).__module__, [(name, described(each)) for name, each in params])
    if isinstance(value, list | tuple):
        return type(value).__name__, [described(each) for each in value]
    if isinstance(value, dict):
        return "dict", [(described(key), described(each)) for key, each in value.items()]
    return type(value).__name__, value


@dataclass(frozen=True, eq=False)
class FittedSteps:
    """Steps that have been fitted on one fold, and the rows that come out of them.

    Attributes
    ----------
    steps : tuple of (str, object)
        Fitted.
    training, test : Dataset
        A step that resamples changes how many training rows there are.
    seconds : float
        Of fitting and transforming the training rows, for all the steps.
    """

    steps: tuple[Step, ...]
    training: Dataset
    test: Dataset
    seconds: float = 0.0


class InPlaceError(Exception):
    """A step has written into rows that were not its own, so what it makes cannot be shared."""


def fitted_steps(steps: Sequence[Step], rows: FoldRows, codes: bool) -> FittedSteps:
    """Fit `steps` one after the other, each once per fold for all who have it and those before it in common.

    Parameters
    ----------
    steps : sequence of (str, object)
        Unfitted.
    rows : FoldRows
    codes : bool
        Whether the target that steps see is the codes of classes.

    Raises
    ------
    InPlaceError
        A step of the user's own writes into its input.
    """
    done = None
    for place in range(1, len(steps) + 1):
        chain = steps[:place]

        def make(before: FittedSteps | None = done, chain: Sequence[Step] = chain) -> FittedSteps:
            begin = before or FittedSteps((), rows.training(), rows.test())
            return _with_one_more(begin, chain, rows, codes)

        done = rows.once(f"steps {codes} {signature(chain)}", make, for_all=False)
    return done or FittedSteps((), rows.training(), rows.test())


def _with_one_more(before: FittedSteps, chain: Sequence[Step], rows: FoldRows, codes: bool) -> FittedSteps:
    name, step = chain[-1]
    if not active(chain[-1:]):
        return replace(before, steps=(*before.steps, chain[-1]))
    begun = time.perf_counter()
    if hasattr(step, "fit_resample"):
        fitted, training = _resampled(clone(step), before.training, codes)
        test = before.test
    else:
        fitted, training = _fitted(step, before.training, chain, rows, codes)
        test = before.test
    seconds = before.seconds + time.perf_counter() - begun
    if not hasattr(step, "fit_resample"):
        test = replace(test, X=_untouched(step, fitted.transform, test.X))
    return FittedSteps((*before.steps, (name, fitted)), training, test, seconds)


def _fitted(step: Any, training: Dataset, chain: Sequence[Step], rows: FoldRows, codes: bool) -> tuple[Any, Dataset]:
    """Fit a step on rows that nobody else has if it is of the user's own, and return it with what it makes of them."""
    y = training.y if codes else training.labels
    if parameter := _CHOOSE_BY_SCORE.get(class_name(step)):
        fitted = _chosen_by_score(step, parameter, chain, rows, training.X, y)
        return fitted, replace(training, X=fitted.transform(training.X))
    fitted = clone(step)
    if hasattr(fitted, "fit_transform"):
        return fitted, replace(training, X=_untouched(step, lambda X: fitted.fit_transform(X, y), training.X))
    return fitted, replace(training, X=_untouched(step, lambda X: fitted.fit(X, y).transform(X), training.X))


def _chosen_by_score(step: Any, parameter: str, chain: Sequence[Step], rows: FoldRows, X: Any, y: Any) -> Any:
    """Fit a step that scores every column and keeps some, from scores that serve every value of `parameter`."""
    value = step.get_params(deep=False)[parameter]
    anyone = (chain[-1][0], clone(step).set_params(**{parameter: type(step)().get_params()[parameter]}))
    name = f"scores {signature([*chain[:-1], anyone])}"
    scored = rows.once(name, lambda: clone(step).fit(X, y), for_all=False)
    mine = copy(scored).set_params(**{parameter: value})
    mine._validate_params()  # what the fit would have refused of this value
    if hasattr(mine, "_check_params"):
        mine._check_params(X, y)
    return mine


def _resampled(sampler: Any, training: Dataset, codes: bool) -> tuple[Any, Dataset]:
    X, y = sampler.fit_resample(training.X, training.y if codes else training.labels)
    if not codes and training.classes is not None:
        y = np.searchsorted(training.classes, y)
    return sampler, replace(training, X=X, y=np.asarray(y), groups=None)


def _untouched(step: Any, transform: Callable[[Any], Any], X: Any) -> Any:
    """Return ``transform(X)``, having made sure that `X`, which others read too, is as it was.

    scikit-learn's own steps leave it alone unless told otherwise (``can_be_shared``); a step of the user's own is
    watched.
    """
    if _is_of_scikit_learn(step):
        return transform(X)
    before = copied(X)
    made = transform(X)
    if not _equal(before, X):
        raise InPlaceError
    return made


def copied(X: Any) -> Any:
    """Return a copy of `X` in the same order of memory, on which the last digit of a product depends."""
    return X.copy(order="K") if isinstance(X, np.ndarray) else X.copy()


def _is_of_scikit_learn(step: Any) -> bool:
    """Whether nothing in `step` is of the user's own."""
    parts = [step, *(part for part in step.get_params(deep=True).values() if hasattr(part, "get_params"))]
    packages = {type(part).__module__.partition(".")[0] for part in parts}
    functions = any(class_name(part) == "sklearn.FunctionTransformer" for part in parts)
    return packages <= {"sklearn", "imblearn"} and not functions


def _equal(left: Any, right: Any) -> bool:
    if hasattr(left, "equals"):
        return bool(left.equals(right))
    if hasattr(left, "indptr"):
        parts = ("data", "indices", "indptr")
        return all(_equal(getattr(left, part), getattr(right, part)) for part in parts)
    if left.dtype.kind in "fc":
        return bool(np.array_equal(left, right, equal_nan=True))
    return bool(np.array_equal(left, right))
