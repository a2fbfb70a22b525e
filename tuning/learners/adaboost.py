"""AdaBoost: the first n rounds of a long training are a training of n rounds, as in ``tuning.learners.boosting``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from numpy.typing import NDArray

from tuning.learners.boosting import BoostingLearner
from tuning.learners.ensembles import EnsembleLearner
from tuning.learners.trees import is_tree, leaves_of_all, most_leaves
from tuning.learners.unfitted import class_name, is_whole
from tuning.learners.views import View, changed


class AdaBoostLearner(EnsembleLearner, BoostingLearner):
    """AdaBoost*."""

    name: ClassVar[str] = "AdaBoost"
    rounds: ClassVar[str | None] = "n_estimators"
    default_rounds: ClassVar[int] = 50
    classes: ClassVar[tuple[str, ...]] = ("sklearn.AdaBoostClassifier", "sklearn.AdaBoostRegressor")

    def trains_again(self, estimator: Any) -> bool:
        """Where there is a seed, from which those of the estimators are drawn."""
        return is_whole(estimator.random_state)

    def length(self, model: Any) -> int:
        """Rounds until training ended."""
        return len(model.estimators_)

    def first(self, model: Any, rounds: int) -> Any:
        """Cut estimators, weights and errors; the latter two have a place for every round that was asked for."""
        return changed(
            model,
            estimators_=model.estimators_[:rounds],
            estimator_weights_=model.estimator_weights_[:rounds],
            estimator_errors_=model.estimator_errors_[:rounds],
            n_estimators=rounds,
        )

    def staged(self, model: Any, X: Any) -> Iterator[Any]:
        """Answer from what each estimator predicts, which the model then weighs as it does."""
        staged = [_Staged(each, each.predict(X)) for each in model.estimators_]
        for rounds in range(1, len(staged) + 1):
            yield changed(self.first(model, rounds), estimators_=staged[:rounds])

    def size(self, estimator: Any) -> float | None:
        """Rounds times the leaves of each tree, where trees are boosted."""
        base = estimator.estimator
        if base is None:  # the default trees have depths of 1 and 3
            leaves: float | None = 2.0 if class_name(estimator).endswith("Classifier") else 8.0
        else:
            leaves = most_leaves(base) if is_tree(base) else None
        return leaves_of_all(self.rounds_of(estimator), leaves)


class _Staged(View):
    """A fitted estimator that has predicted the test rows already."""

    def __init__(self, model: Any, predicted: NDArray[Any]) -> None:
        super().__init__(model)
        self._predicted = predicted

    def predict(self, X: Any) -> NDArray[Any]:
        """Return what was predicted."""
        return self._predicted
