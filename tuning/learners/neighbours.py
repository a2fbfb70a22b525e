"""Nearest neighbours: those of the largest ``n_neighbors`` hold those of all smaller ones, the nearest first.

Equal distances are the exception: which of two rows at the same distance counts as nearer depends on how many are asked
for. So the distances are looked at, and where a tie could matter the model looks for its neighbours itself. Votes that
all count the same depend only on who is among the k nearest; sums of weights or numbers on their order too.

For such votes scikit-learn has a way of its own through all rows (``ArgKminClassMode``, not of Euclidean distances): it
measures them as its search for neighbours does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier
from sklearn.utils.metaestimators import available_if

from tuning.learners.base import Fitted, FoldRows, Learner, Place
from tuning.learners.unfitted import class_name, is_whole
from tuning.learners.views import View, changed

_COUNT = "n_neighbors"
_CLASSES = ("sklearn.KNeighborsClassifier", "sklearn.KNeighborsRegressor")
_HELD = "the neighbours of the largest number hold those of the smaller ones, where no distances are equal"


@dataclass(eq=False)
class _Searched:
    """A fitted model of the most neighbours, the rows that it knows, and what it has found for others."""

    model: Any
    X: Any
    y: Any
    _asked: Any = None
    _found: tuple[NDArray[Any], NDArray[Any]] = field(default=(np.empty(0), np.empty(0)))

    def neighbours(self, X: Any) -> tuple[NDArray[Any], NDArray[Any]]:
        """Distances and places of the neighbours of `X`, one more than the most that are needed if there is one."""
        if X is not self._asked:
            count = min(self.model.n_neighbors + 1, self.model.n_samples_fit_)
            self._found = self.model.kneighbors(X, count)
            self._asked = X
        return self._found


class NeighboursLearner(Learner):
    """KNeighborsClassifier and KNeighborsRegressor; their search is done without the interpreter lock."""

    name: ClassVar[str] = "neighbours"
    only_reads: ClassVar[bool] = True

    def knows(self, estimator: Any) -> bool:
        """Whether `estimator` is of one of scikit-learn's own classes."""
        return class_name(estimator) in _CLASSES

    def place(self, estimator: Any, n_values: int = 0) -> Place:
        """Threads, which share one copy of the data."""
        return "threads"

    def free(self, estimator: Any) -> Mapping[str, str]:
        """Return ``n_neighbors``, but for distances that the user has measured."""
        count = estimator.n_neighbors
        return {_COUNT: _HELD} if is_whole(count) and count > 0 and estimator.metric != "precomputed" else {}

    def whole(self, estimators: Sequence[Any]) -> Any:
        """Return the one with the most neighbours."""
        return max(estimators, key=lambda each: each.n_neighbors) if self.free(estimators[0]) else estimators[0]

    def fit(self, estimator: Any, rows: FoldRows) -> Fitted:
        """Keep the training rows, which may have to be laid out otherwise for fewer neighbours."""
        if not self.free(estimator):
            return super().fit(estimator, rows)
        fitted = super().fit(estimator, rows)
        training = rows.training()
        return Fitted(_Searched(fitted.model, training.X, self.target(estimator, training)), fitted.seconds)

    def cut(self, fitted: Fitted, estimator: Any) -> Any:
        """Return a model of fewer neighbours, which knows those that have been found."""
        if not self.free(estimator):
            return fitted.model
        searched: _Searched = fitted.model
        if _is_laid_out_otherwise(estimator, searched.model):
            return clone(estimator).fit(searched.X, searched.y)
        return _Nearest(changed(searched.model, n_neighbors=estimator.n_neighbors), searched)

    def seconds(self, fitted: Fitted, estimator: Any) -> float:
        """Seconds of the fit, in which nothing is searched for."""
        return fitted.seconds

    def cost(self, estimator: Any) -> float:
        """Return the same for all: the search through the rows is what takes time."""
        return 1.0


class _Nearest(View):
    """A model that takes its neighbours from those of a larger search where these are sure to be the same."""

    def __init__(self, model: Any, searched: _Searched) -> None:
        super().__init__(model)
        self._searched = searched

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict."""
        predicted: NDArray[Any] = self._for(X).predict(X)
        return predicted

    @available_if(lambda self: hasattr(self._model, "predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Give the shares of the votes."""
        shares: NDArray[Any] = self._for(X).predict_proba(X)
        return shares

    def _for(self, X: Any) -> Any:
        """Return the model itself, or one that is told its neighbours and counts them as after any other search."""
        distances, places = self._searched.neighbours(X)
        count = self._model.n_neighbors
        if count > distances.shape[1] or _ties(distances, count, _only_counts(self._model)):
            return self._model

        def kneighbors(_: Any, return_distance: bool = True) -> Any:
            return (distances[:, :count], places[:, :count]) if return_distance else places[:, :count]

        return changed(self._model, kneighbors=kneighbors, _fit_method="told")


def _ties(distances: NDArray[Any], count: int, only_last: bool) -> bool:
    """Whether equal distances leave it open who is among the nearest, or in which order."""
    steps = np.diff(distances[:, : count + 1], axis=1)  # the last one, where there is a row beyond, is the boundary
    if only_last:
        steps = steps[:, count - 1 :]
    return bool((steps == 0).any())


def _only_counts(model: Any) -> bool:
    return bool(is_classifier(model) and model.weights == "uniform")


def _is_laid_out_otherwise(estimator: Any, model: Any) -> bool:
    """Whether scikit-learn, left to choose, searches through all rows for one of the numbers and not for the other."""
    half = model.n_samples_fit_ // 2
    return bool(estimator.algorithm == "auto") and (estimator.n_neighbors >= half) != (model.n_neighbors >= half)
