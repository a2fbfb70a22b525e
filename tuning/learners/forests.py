"""scikit-learn's forests and bagging: the first n trees of a large ensemble are an ensemble of n.

Each tree's seed is drawn before any tree grows, so neither the number of trees nor that of threads changes a tree. The
first n are put into a copy of the fitted ensemble, whose own ``predict`` adds them up: with one thread, since several
add up in the order in which they happen to end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tuning.control import UNATTENDED, Control
from tuning.dataset import Dataset
from tuning.learners.base import Fitted, FoldRows, Learner, Place
from tuning.learners.ensembles import EnsembleLearner
from tuning.learners.trees import ALPHA, ONE_GROWN, is_alpha, is_tree, leaves_of_all, most_leaves, pruned, unpruned
from tuning.learners.unfitted import class_name, is_whole
from tuning.learners.views import changed

COUNT = "n_estimators"
_FORESTS = (
    "sklearn.RandomForestClassifier",
    "sklearn.RandomForestRegressor",
    "sklearn.ExtraTreesClassifier",
    "sklearn.ExtraTreesRegressor",
)
_BAGS = ("sklearn.BaggingClassifier", "sklearn.BaggingRegressor")
_FIRST = "the first trees of a forest are a forest of so many trees"
_FIRST_IN_BAG = "the first estimators of an ensemble are an ensemble of so many"


@dataclass(frozen=True, eq=False)
class _Grown:
    """A forest as it grew, and its trees as pruned so far, by ``ccp_alpha``."""

    forest: Any
    trees: dict[float, list[Any]] = field(default_factory=dict)

    def pruned(self, alpha: float, n_trees: int) -> list[Any]:
        """Return the first trees, pruned."""
        done = self.trees.setdefault(alpha, [])
        done.extend(pruned(tree, alpha) for tree in self.forest.estimators_[len(done) : n_trees])
        return done[:n_trees]


class ForestLearner(Learner):
    """RandomForest* and ExtraTrees*; trees grow without the interpreter lock, so in threads."""

    name: ClassVar[str] = "forest"
    rounds: ClassVar[str | None] = COUNT
    only_reads: ClassVar[bool] = True
    any_threads: ClassVar[bool] = True

    def knows(self, estimator: Any) -> bool:
        """Whether `estimator` is a forest of scikit-learn's own."""
        return class_name(estimator) in _FORESTS

    def place(self, estimator: Any, n_values: int = 0) -> Place:
        """Threads, which share one copy of the data."""
        return "threads"

    def free(self, estimator: Any) -> Mapping[str, str]:
        """Return ``n_estimators`` and ``ccp_alpha``, where the same trees would grow again."""
        if not _grows_again(estimator) or not _is_count(estimator.n_estimators):
            return {}
        return {COUNT: _FIRST, ALPHA: ONE_GROWN} if is_alpha(estimator.ccp_alpha) else {COUNT: _FIRST}

    def whole(self, estimators: Sequence[Any]) -> Any:
        """Return the one with the most trees, not pruned."""
        free = self.free(estimators[0])
        most = max(estimators, key=lambda estimator: estimator.n_estimators) if free else estimators[0]
        return unpruned(most) if ALPHA in free else most

    def fit(self, estimator: Any, rows: FoldRows) -> Fitted:
        """Grow the trees."""
        fitted = super().fit(estimator, rows)
        return Fitted(_Grown(fitted.model), fitted.seconds) if self.free(estimator) else fitted

    def cut(self, fitted: Fitted, estimator: Any) -> Any:
        """Return the forest's first trees, pruned by the ``ccp_alpha`` of `estimator`."""
        free = self.free(estimator)
        if not free:
            return fitted.model
        count, alpha, grown = estimator.n_estimators, estimator.ccp_alpha, fitted.model
        trees = grown.pruned(alpha, count) if ALPHA in free and alpha else grown.forest.estimators_[:count]
        return changed(grown.forest, estimators_=trees, n_estimators=count, ccp_alpha=alpha, n_jobs=1)

    def seconds(self, fitted: Fitted, estimator: Any) -> float:
        """Return the share of the time that the trees of `estimator` are of all."""
        if not self.free(estimator):
            return fitted.seconds
        return fitted.seconds * float(estimator.n_estimators) / len(fitted.model.forest.estimators_)

    def with_threads(self, estimator: Any, threads: int) -> Any:
        """Set ``n_jobs``, which changes no tree, where there is more than one thread to be had."""
        return estimator.set_params(n_jobs=threads) if threads > 1 else estimator

    def cost(self, estimator: Any) -> float:
        """Trees times the levels that they can have."""
        return float(self.rounds_of(estimator) or 1) * _levels(estimator)

    def size(self, estimator: Any) -> float | None:
        """Trees times the leaves that each can have."""
        return leaves_of_all(self.rounds_of(estimator), most_leaves(estimator))

    def refit(self, estimator: Any, data: Dataset, threads: int, control: Control = UNATTENDED) -> Any:
        """Grow trees side by side; ``n_jobs`` is as it was when it is done."""
        given = estimator.n_jobs
        return super().refit(self.with_threads(estimator, threads), data, threads).set_params(n_jobs=given)


class BaggingLearner(EnsembleLearner):
    """Bagging*."""

    name: ClassVar[str] = "bagging"
    rounds: ClassVar[str | None] = COUNT
    default_rounds: ClassVar[int] = 10

    def knows(self, estimator: Any) -> bool:
        """Whether `estimator` is a bagging ensemble of scikit-learn's own."""
        return class_name(estimator) in _BAGS

    def free(self, estimator: Any) -> Mapping[str, str]:
        """Return ``n_estimators``, where the same estimators would be fitted again."""
        return {COUNT: _FIRST_IN_BAG} if _grows_again(estimator) and _is_count(estimator.n_estimators) else {}

    def whole(self, estimators: Sequence[Any]) -> Any:
        """Return the one with the most estimators."""
        return max(estimators, key=lambda each: each.n_estimators) if self.free(estimators[0]) else estimators[0]

    def cut(self, fitted: Fitted, estimator: Any) -> Any:
        """Return the ensemble's first estimators, with the columns that each of them sees."""
        count, model = estimator.n_estimators, fitted.model
        if not self.free(estimator):
            return model
        return changed(
            model,
            estimators_=model.estimators_[:count],
            estimators_features_=model.estimators_features_[:count],
            _seeds=model._seeds[:count],
            n_estimators=count,
            n_jobs=1,
        )

    def size(self, estimator: Any) -> float | None:
        """Estimators times the leaves of each, if they are trees."""
        leaves = most_leaves(estimator.estimator) if is_tree(estimator.estimator) else None
        return leaves_of_all(self.rounds_of(estimator), leaves)


def _grows_again(estimator: Any) -> bool:
    """Whether a second fit would be the same: the seeds of all parts are drawn from the ensemble's own.

    Not where something depends on the whole ensemble: a score out of bag, or a fit that goes on.
    """
    return is_whole(estimator.random_state) and estimator.warm_start is False and estimator.oob_score is False


def _is_count(value: Any) -> bool:
    return is_whole(value) and value > 0


def _levels(estimator: Any) -> float:
    depth = estimator.max_depth
    return float(min(depth, 16)) if is_whole(depth) and depth > 0 else 16.0
