"""What can be asked of any estimator before it is fitted."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import Any

import numpy as np
from sklearn.base import clone

from tuning.dataset import Dataset

_SEEDS = ("random_state", "random_seed")
_PLAIN = (str, int, float, np.generic)


def fit_parameters(estimator: Any, rows: Dataset) -> dict[str, Any]:
    """What ``fit`` is given beside rows and target: weights, under the name that a pipeline passes to its last step."""
    if rows.sample_weight is None:
        return {}
    steps = getattr(estimator, "steps", None)
    return {f"{steps[-1][0]}__sample_weight" if steps else "sample_weight": rows.sample_weight}


def fresh(estimator: Any) -> Any:
    """Return an unfitted copy of `estimator`, which is unfitted too.

    CatBoost's give copies of lists and dictionaries for parameters, which scikit-learn takes for altered ones.
    """
    try:
        return clone(estimator)
    except RuntimeError:
        return deepcopy(estimator)


def is_whole(value: Any) -> bool:
    """Whether `value` is a whole number; True is not."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def has_seed(estimator: Any) -> bool:
    """Whether a second fit of `estimator` would draw the same random numbers: each ``random_state`` is a number."""
    states = [
        value for name, value in estimator.get_params(deep=True).items() if name.rpartition("__")[2] == "random_state"
    ]
    return all(is_whole(state) for state in states)


def seeds_of(estimator: Any) -> dict[str, int]:
    """Return the parameters of `estimator` and its parts that seed random numbers, and their values; 0 where unset."""
    params = estimator.get_params(deep=True)
    found = {name: value for name, value in params.items() if name.rpartition("__")[2] in _SEEDS}
    for path, part in [("", estimator), *params.items()]:
        prefix = f"{path}__" if path else ""
        if class_name(part).startswith("catboost.") and not any(f"{prefix}{name}" in found for name in _SEEDS):
            found[f"{prefix}random_seed"] = 0  # which it has without naming it
    return {name: value if is_whole(value) else 0 for name, value in found.items()}


def class_name(estimator: Any) -> str:
    """Dotted path of the exact class of `estimator`, by the module that it is imported from."""
    kind = type(estimator)
    return f"{kind.__module__.partition('.')[0]}.{kind.__name__}"


def holds_xgboost(estimator: Any) -> bool:
    """Whether a classifier of XGBoost, which takes no other labels, is `estimator` or a part of it."""
    parts = [estimator, *(deep_params(estimator).values() if hasattr(estimator, "get_params") else ())]
    return any(class_name(part) in ("xgboost.XGBClassifier", "xgboost.XGBRFClassifier") for part in parts)


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(kind._get_param_names())


def deep_params(estimator: Any) -> dict[str, Any]:
    """Return ``estimator.get_params(deep=True)``.

    That looks up the constructor's signature each time, a tenth of the time of a very short fit. For scikit-learn's
    own classes it is looked up once, and where all values are plain there is nothing below them.
    """
    kind: Any = type(estimator)
    if kind.__module__.startswith("sklearn."):
        own = {name: getattr(estimator, name, None) for name in _names(kind)}
        if all(value is None or isinstance(value, _PLAIN) for value in own.values()):
            return own
    params: dict[str, Any] = estimator.get_params(deep=True)
    return params
