"""Between which numbers a parameter may lie: what scikit-learn's classes say of theirs, and what boosters' docs say."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from sklearn.utils._param_validation import Interval

_SHARES = (
    "subsample",
    "colsample_bytree",
    "colsample_bylevel",
    "colsample_bynode",
    "bagging_fraction",
    "feature_fraction",
    "feature_fraction_bynode",
    "rsm",
    "learning_rate",
    "eta",
)
_FROM_NOUGHT = (
    "gamma",
    "min_child_weight",
    "min_child_samples",
    "min_split_gain",
    "reg_alpha",
    "reg_lambda",
    "l2_leaf_reg",
    "max_delta_step",
)
_FROM_ONE = ("max_depth", "depth", "n_estimators", "iterations", "max_bin", "max_leaves")
_FROM_TWO = ("num_leaves",)
_DEEPEST_OF_CATBOOST = 16


@dataclass(frozen=True)
class Bounds:
    """Ends of what is allowed.

    Attributes
    ----------
    low, high : float
    low_itself, high_itself : bool
        Whether the ends are allowed too.
    """

    low: float = -math.inf
    high: float = math.inf
    low_itself: bool = True
    high_itself: bool = True

    def allow(self, value: float) -> bool:
        """Whether `value` lies between."""
        above = value >= self.low if self.low_itself else value > self.low
        return above and (value <= self.high if self.high_itself else value < self.high)

    def nearest(self, value: float) -> float:
        """Return `value`, or the end that it lies beyond."""
        return min(max(value, self.low), self.high)


def bounds_of(estimator: Any, name: str) -> Bounds:
    """Return between which numbers the parameter `name` of `estimator`, or of a part of it, may lie."""
    owner, last = _owner(estimator, name)
    given = getattr(owner, "_parameter_constraints", {}).get(last, ())
    intervals = [each for each in given if isinstance(each, Interval) and each.type in (Integral, Real)]
    if intervals:
        # A parameter may be a count or a share (max_features): what is wide enough for either is no bound at all.
        low = min(intervals, key=lambda each: -math.inf if each.left is None else each.left)
        high = max(intervals, key=lambda each: math.inf if each.right is None else each.right)
        return Bounds(
            -math.inf if low.left is None else float(low.left),
            math.inf if high.right is None else float(high.right),
            low.closed in ("left", "both"),
            high.closed in ("right", "both"),
        )
    if last in _SHARES:
        return Bounds(0.0, 1.0, low_itself=False)
    if last in _FROM_NOUGHT:
        return Bounds(0.0)
    if last == "depth":
        return Bounds(1.0, _DEEPEST_OF_CATBOOST)
    return Bounds(1.0) if last in _FROM_ONE else Bounds(2.0) if last in _FROM_TWO else Bounds()


def _owner(estimator: Any, name: str) -> tuple[Any, str]:
    """Return the part of `estimator` that has the parameter, and its name there."""
    path, _, last = name.rpartition("__")
    return (estimator.get_params(deep=True).get(path) if path else estimator), last
