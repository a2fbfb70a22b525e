"""scikit-learn's gradient boosting: the first n rounds of a long training are a training of n rounds.

Each round draws its random numbers after those of the rounds before it, so the length of a training changes no round of
it. A training that ends by itself (``n_iter_no_change``, ``early_stopping``, an AdaBoost that fits perfectly) would
have ended at the same round whatever its length, or not have come as far.

The first rounds are put into a copy of the fitted estimator, whose own ``predict`` adds them up. ``staged_predict`` is
the obvious way to score every round, but AdaBoost's differs from ``predict`` in the last bits, and it answers no scorer
that asks for a decision function. So the copy's own methods are given what the rounds say of the test rows, computed
once, and do the rest.
"""

from __future__ import annotations

import math
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tuning.control import UNATTENDED, Control
from tuning.dataset import Dataset
from tuning.learners.base import Curves, Fitted, FoldRows, Judge, Learner, Place
from tuning.learners.curves import RoundScores
from tuning.learners.trees import leaves_of_all, most_leaves
from tuning.learners.unfitted import class_name, fit_parameters, has_seed, is_whole
from tuning.learners.views import changed, in_labels

_FIRST = "the first rounds of one training are a training of so many rounds"
_BINS = 255
_MOST_BINNED = 200_000


class BoostingLearner(Learner):
    """What the families below have in common."""

    classes: ClassVar[tuple[str, ...]] = ()

    def knows(self, estimator: Any) -> bool:
        """Whether `estimator` is of one of scikit-learn's own classes."""
        return class_name(estimator) in self.classes

    def place(self, estimator: Any, n_values: int = 0) -> Place:
        """Threads, which share one copy of the data."""
        return "threads"

    def free(self, estimator: Any) -> Mapping[str, str]:
        """Return the number of rounds, where the same rounds would be trained again."""
        rounds = getattr(estimator, self._name)
        return {self._name: _FIRST} if self.trains_again(estimator) and is_whole(rounds) and rounds > 0 else {}

    def whole(self, estimators: Sequence[Any]) -> Any:
        """Return the one with the most rounds."""
        if not self.free(estimators[0]):
            return estimators[0]
        return max(estimators, key=lambda estimator: int(getattr(estimator, self._name)))

    def cut(self, fitted: Fitted, estimator: Any) -> Any:
        """Return the first rounds of what was trained, or all of them where training ended before."""
        if not self.free(estimator):
            return fitted.model
        return self.first(fitted.model, int(getattr(estimator, self._name)))

    def can_stop_early(self, estimator: Any) -> bool:
        """Where rounds are shared."""
        return bool(self.free(estimator))

    def curves(self, estimator: Any, rows: FoldRows, judge: Judge, patience: int) -> Curves:
        """Train all rounds and score the first, the first two and so on, until `patience` has run out."""
        begun = time.perf_counter()
        model, test = self.fit(estimator, rows).model, self.judged_on(estimator, rows)
        curve = None
        for prefix in self._prefixes(model, test, judge):
            seen, labelled = in_labels(prefix, self.takes_codes(estimator), test)
            curve = curve or RoundScores(estimator, labelled, test.classes, judge, patience)
            curve.judge(seen)
            if curve.has_peaked:
                break
        assert curve is not None, "a fitted estimator has a round"
        curve.hold(int(getattr(estimator, self._name)))
        return Curves(curve.scores, time.perf_counter() - begun)

    def _prefixes(self, model: Any, test: Dataset, judge: Judge) -> Iterator[Any]:
        """Models of one round, two rounds and so on; a scorer of the user's own may look at more than predictions."""
        staged = self.staged(model, test.X) if judge.only_responses else None
        for rounds in range(1, self.length(model) + 1):
            yield self.first(model, rounds) if staged is None else next(staged)

    @property
    def _name(self) -> str:
        assert self.rounds is not None
        return self.rounds

    @abstractmethod
    def trains_again(self, estimator: Any) -> bool:
        """Whether a second fit of `estimator` would be the same to the bit."""

    @abstractmethod
    def length(self, model: Any) -> int:
        """Rounds that a fitted `model` has."""

    @abstractmethod
    def first(self, model: Any, rounds: int) -> Any:
        """Return the first `rounds` of a fitted `model`."""

    @abstractmethod
    def staged(self, model: Any, X: Any) -> Iterator[Any]:
        """Yield models of one round, two rounds and so on, which know what their rounds say of `X` and nothing else."""


class _SumOfTrees(BoostingLearner):
    """Boosting whose model is a sum of trees, which scikit-learn can give round by round."""

    def staged(self, model: Any, X: Any) -> Iterator[Any]:
        """Answer from the sums that scikit-learn keeps up to date from round to round."""
        for rounds, sums in enumerate(model._staged_raw_predict(X), start=1):
            yield changed(self.first(model, rounds), _raw_predict=_answering(sums))

    def cost(self, estimator: Any) -> float:
        """Rounds times the leaves of a tree."""
        return float(self.rounds_of(estimator) or 1) * min(most_leaves(estimator) or 1024.0, 1024.0)

    def size(self, estimator: Any) -> float | None:
        """Rounds times the leaves of a tree; training may end by itself before."""
        return leaves_of_all(self.rounds_of(estimator), most_leaves(estimator))


class _Watch:
    """Notes when each round ended, and ends the training when the sweep is interrupted."""

    def __init__(self, control: Control, rounds: Any) -> None:
        self.control = control
        self.rounds = rounds
        self.begun = time.perf_counter()
        self.ends: list[float] = []

    def __call__(self, *_: Any) -> bool:
        self.ends.append(time.perf_counter() - self.begun)
        self.control.at_round(len(self.ends), self.rounds)
        if self.control.cancelled():
            raise CancelledError
        return False


class GradientBoostingLearner(_SumOfTrees):
    """GradientBoostingClassifier and GradientBoostingRegressor."""

    name: ClassVar[str] = "gradient boosting"
    rounds: ClassVar[str | None] = "n_estimators"
    only_reads: ClassVar[bool] = True
    classes: ClassVar[tuple[str, ...]] = ("sklearn.GradientBoostingClassifier", "sklearn.GradientBoostingRegressor")

    def trains_again(self, estimator: Any) -> bool:
        """Where every part has a seed; an ``init`` of one's own has one too."""
        return has_seed(estimator) and estimator.warm_start is False

    def fit(self, estimator: Any, rows: FoldRows) -> Fitted:
        """Train, asking after each round whether to go on."""
        training, watch = rows.training(), _Watch(rows.control, estimator.n_estimators)
        weights = fit_parameters(estimator, training)
        model = estimator.fit(training.X, self.target(estimator, training), monitor=watch, **weights)
        return Fitted(model, time.perf_counter() - watch.begun, watch.ends)

    def refit(self, estimator: Any, data: Dataset, threads: int, control: Control = UNATTENDED) -> Any:
        """Fit with an eye on each round."""
        watch, weights = _Watch(control, estimator.n_estimators), fit_parameters(estimator, data)
        return estimator.fit(data.X, self.target(estimator, data), monitor=watch, **weights)

    def length(self, model: Any) -> int:
        """Rounds until training ended."""
        return int(model.n_estimators_)

    def first(self, model: Any, rounds: int) -> Any:
        """Cut stages and what is known of each."""
        count = min(rounds, model.n_estimators_)
        mine = changed(
            model,
            estimators_=model.estimators_[:count],
            train_score_=model.train_score_[:count],
            n_estimators=rounds,
            n_estimators_=count,
        )
        if not hasattr(model, "oob_scores_"):
            return mine
        improvement, scores = model.oob_improvement_[:count], model.oob_scores_[:count]
        return changed(mine, oob_improvement_=improvement, oob_scores_=scores, oob_score_=scores[-1])


class HistGradientBoostingLearner(_SumOfTrees):
    """HistGradientBoostingClassifier and HistGradientBoostingRegressor."""

    name: ClassVar[str] = "histogram gradient boosting"
    rounds: ClassVar[str | None] = "max_iter"
    only_reads: ClassVar[bool] = True
    classes: ClassVar[tuple[str, ...]] = (
        "sklearn.HistGradientBoostingClassifier",
        "sklearn.HistGradientBoostingRegressor",
    )

    def trains_again(self, estimator: Any) -> bool:
        """Where there is a seed, or nothing to draw from rows as few as ``draws_above``."""
        if estimator.warm_start is not False:
            return False
        nothing_random = estimator.early_stopping is False and estimator.max_features == 1.0
        return has_seed(estimator) or (estimator.random_state is None and nothing_random)

    def ignores_seed(self, estimator: Any) -> bool:
        """Where nothing is drawn."""
        return self.trains_again(estimator)

    def draws_above(self, estimator: Any) -> float:
        """Above 200,000 rows the bins are made from some of them, drawn (``_BinMapper.subsample``)."""
        return math.inf if has_seed(estimator) else _MOST_BINNED

    def length(self, model: Any) -> int:
        """Rounds until training ended."""
        return int(model.n_iter_)

    def first(self, model: Any, rounds: int) -> Any:
        """Cut the trees, and the scores that early stopping has written down: the first is of no tree at all."""
        return changed(
            model,
            _predictors=model._predictors[:rounds],
            train_score_=model.train_score_[: rounds + 1],
            validation_score_=model.validation_score_[: rounds + 1],
            max_iter=rounds,
        )

    def approximation(self, estimator: Any, parameter: str, value: Any) -> str | None:
        """Name coarse bins."""
        if parameter == "max_bins" and is_whole(value) and value < _BINS:
            return f"max_bins {value} cuts features more coarsely than scikit-learn's {_BINS}"
        return None


def _answering(sums: NDArray[np.float64]) -> Callable[..., NDArray[np.float64]]:
    """Stand in for a model's sum over its trees; some methods write into what they get."""
    return lambda *_, **__: sums.copy()
