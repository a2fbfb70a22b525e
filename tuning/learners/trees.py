"""scikit-learn's single trees: one grown tree, pruned for every ``ccp_alpha``.

A tree is grown whole before it is pruned, and pruning draws no random numbers, so trees that differ in ``ccp_alpha``
alone are one tree that was pruned more or less. We let the tree prune a copy of itself, as its own ``fit`` does in the
end; constraints and missing values have done their work while it grew.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, ClassVar

from sklearn.base import clone

from tuning.learners.base import Fitted, Learner, Place
from tuning.learners.unfitted import class_name, is_whole
from tuning.learners.views import changed

ALPHA = "ccp_alpha"
ONE_GROWN = "one grown tree is pruned for each value"
_CLASSES = (
    "sklearn.DecisionTreeClassifier",
    "sklearn.DecisionTreeRegressor",
    "sklearn.ExtraTreeClassifier",
    "sklearn.ExtraTreeRegressor",
)
_LONG = 200_000  # values of rows: to grow a tree over them takes a tenth of a second and more


class TreeLearner(Learner):
    """DecisionTree* and ExtraTree*.

    A tree lets go of the interpreter lock while it grows. Over few rows that is too short for threads to gain by it.
    """

    name: ClassVar[str] = "tree"
    only_reads: ClassVar[bool] = True

    def knows(self, estimator: Any) -> bool:
        """Whether `estimator` is a tree of scikit-learn's own."""
        return is_tree(estimator)

    def place(self, estimator: Any, n_values: int = 0) -> Place:
        """Threads where a fit is long, else processes."""
        return "threads" if n_values >= _LONG else "processes"

    def free(self, estimator: Any) -> Mapping[str, str]:
        """Return ``ccp_alpha``, where the same tree would grow again."""
        return {ALPHA: ONE_GROWN} if is_whole(estimator.random_state) and is_alpha(estimator.ccp_alpha) else {}

    def whole(self, estimators: Sequence[Any]) -> Any:
        """Return one that is not pruned, where more than one is asked for."""
        return unpruned(estimators[0]) if self.free(estimators[0]) else estimators[0]

    def cut(self, fitted: Fitted, estimator: Any) -> Any:
        """Return the tree as pruned by the ``ccp_alpha`` of `estimator`."""
        return pruned(fitted.model, estimator.ccp_alpha) if self.free(estimator) else fitted.model

    def size(self, estimator: Any) -> float | None:
        """Leaves that the tree can have."""
        return most_leaves(estimator)


def is_tree(estimator: Any) -> bool:
    """Whether `estimator` is a tree of scikit-learn's own."""
    return class_name(estimator) in _CLASSES


def is_alpha(value: Any) -> bool:
    """Whether `value` is a ``ccp_alpha`` that scikit-learn takes."""
    return isinstance(value, Real) and not isinstance(value, bool) and 0 <= float(value) < math.inf


def unpruned(estimator: Any) -> Any:
    """Return `estimator`, unfitted, as it grows before it is pruned."""
    return clone(estimator).set_params(**{ALPHA: 0.0}) if estimator.ccp_alpha else estimator


def pruned(tree: Any, alpha: float) -> Any:
    """Return a copy of a grown `tree`, pruned as its own ``fit`` prunes it."""
    mine = changed(tree, ccp_alpha=alpha)
    mine._prune_tree()
    return mine


def most_leaves(estimator: Any) -> float | None:
    """Leaves that one tree of `estimator` can have; None where depth and leaves are not limited."""
    depth: Any = estimator.max_depth
    leaves: Any = estimator.max_leaf_nodes
    bounds = [2.0 ** min(depth, 1000)] if is_whole(depth) and depth > 0 else []
    bounds += [float(leaves)] if is_whole(leaves) and leaves > 0 else []
    return min(bounds) if bounds else None


def leaves_of_all(rounds: int | None, leaves: float | None) -> float | None:
    """Return the leaves of all rounds' trees; None where nobody knows."""
    return None if rounds is None or leaves is None else rounds * leaves
