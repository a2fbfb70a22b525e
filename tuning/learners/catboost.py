"""CatBoost: one model for all candidates that differ in iterations.

The first n trees of a long training are bit-identical to a training of n iterations where the learning rate is given,
for every bootstrap, growing policy, boosting type and kind of category encoding. Left alone, CatBoost chooses the rate
by the number of iterations. Langevin boosting and a model that shrinks alter earlier trees in every round, and where
something watches for overfitting the rounds depend on rows that a fold does not have.

CatBoost keeps only the parameters that were set, knows several names for some, and gives copies of lists and
dictionaries for them. Fits are silent and leave no folder ``catboost_info`` behind.
"""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import CancelledError
from typing import Any, ClassVar

import scipy.sparse as sp
from sklearn.base import is_classifier

from tuning.control import UNATTENDED, Control
from tuning.dataset import Dataset
from tuning.learners.base import Curves, Fitted, FoldRows, Judge, Learner, Place, Values
from tuning.learners.curves import RoundScores
from tuning.learners.unfitted import class_name, fit_parameters, is_whole
from tuning.learners.views import WithOptions, in_labels

ROUNDS = "iterations"
_CLASSES = ("catboost.CatBoostClassifier", "catboost.CatBoostRegressor")
_EXACT = "the first trees of one model are a model of so many iterations, at a learning rate that is given"
_ROUNDS = (ROUNDS, "n_estimators", "num_boost_round", "num_trees")
_SYNONYMS = (
    _ROUNDS,
    ("learning_rate", "eta"),
    ("depth", "max_depth"),
    ("border_count", "max_bin"),
    ("rsm", "colsample_bylevel"),
    ("random_seed", "random_state"),
    ("l2_leaf_reg", "reg_lambda"),
    ("od_wait", "early_stopping_rounds"),
    ("loss_function", "objective"),
    ("custom_metric", "custom_loss"),
    ("max_leaves", "num_leaves"),
    ("min_data_in_leaf", "min_child_samples"),
    ("logging_level", "silent", "verbose", "verbose_eval"),
)
_ALTERS_TREES = ("langevin", "posterior_sampling", "diffusion_temperature", "model_shrink_rate")
_WATCHES = ("od_pval", "od_type", "od_wait", "early_stopping_rounds", "use_best_model", "best_model_min_trees")
_OTHERWISE = ("eval_fraction", "save_snapshot", "snapshot_file", "fixed_binary_splits")
_SILENT = {"logging_level": "Silent", "silent": True, "verbose": False, "verbose_eval": False}
_BINS = 254
_DEEPEST = 10


class CatboostLearner(Learner):
    """CatBoostClassifier and CatBoostRegressor; rankers need query groups and take the plain way."""

    name: ClassVar[str] = "catboost"
    asks_control: ClassVar[bool] = True
    rounds: ClassVar[str | None] = ROUNDS
    default_rounds: ClassVar[int] = 1000
    only_reads: ClassVar[bool] = True

    def knows(self, estimator: Any) -> bool:
        """Whether `estimator` is of one of CatBoost's own classes."""
        return class_name(estimator) in _CLASSES

    def place(self, estimator: Any, n_values: int = 0) -> Place:
        """Threads: CatBoost lets go of the interpreter lock while it trains."""
        return "threads"

    def free(self, estimator: Any) -> Mapping[str, str]:
        """Return the iterations, where a long training's first are a short one."""
        name, rounds = self.rounds_name(estimator), self.rounds_of(estimator)
        return {name: _EXACT} if name and rounds is not None and rounds > 0 and _shares_rounds(estimator) else {}

    def whole(self, estimators: Sequence[Any]) -> Any:
        """Return the one with the most iterations."""
        return max(estimators, key=lambda estimator: self.rounds_of(estimator) or 0)

    def fit(self, estimator: Any, rows: FoldRows) -> Fitted:
        """Train by the estimator's own ``fit``, with an eye on each round."""
        training = rows.training()
        begun = time.perf_counter()
        watch = _Watch(rows.control, self.rounds_of(estimator))
        watched = _watched_by(watch, estimator)
        weights = fit_parameters(estimator, training)
        _quiet(estimator, always=True).fit(training.X, self.target(estimator, training), **watched, **weights)
        if rows.control.cancelled():
            raise CancelledError
        return Fitted(estimator, time.perf_counter() - begun, watch.ends)

    def cut(self, fitted: Fitted, estimator: Any) -> Any:
        """Return the first trees; where CatBoost ended by itself there are fewer than iterations."""
        rounds = self.rounds_of(estimator)
        if not self.free(estimator) or rounds is None:
            return fitted.model
        return WithOptions(fitted.model, {"ntree_end": min(rounds, fitted.model.tree_count_)})

    def judged_on(self, estimator: Any, rows: FoldRows) -> Dataset:
        """Return the shared test rows, which CatBoost only reads; but sparse ones it asks to be writable."""
        return rows.test() if sp.issparse(rows.shared_test().X) else rows.shared_test()

    def can_stop_early(self, estimator: Any) -> bool:
        """Where rounds are shared."""
        return bool(self.free(estimator))

    def curves(self, estimator: Any, rows: FoldRows, judge: Judge, patience: int) -> Curves:
        """Train in full, then score round by round: CatBoost shows no predictions while it trains."""
        begun = time.perf_counter()
        model, test = self.fit(estimator, rows).model, self.judged_on(estimator, rows)
        classes = model.classes_ if is_classifier(estimator) else None
        curve = RoundScores(estimator, in_labels(None, False, test)[1], classes, judge, patience)
        staged = model.staged_predict if classes is None else model.staged_predict_proba
        for predictions in staged(test.X, thread_count=1):
            curve.add(predictions)
            if rows.control.cancelled():
                raise CancelledError
            if curve.has_peaked:
                break
        return Curves(curve.scores, time.perf_counter() - begun)

    def rounds_name(self, estimator: Any) -> str | None:
        """Name the parameter that `estimator` has its iterations in, of the four that CatBoost knows."""
        given = [name for name in _ROUNDS if name in estimator.get_params()]
        return ROUNDS if not given else given[0] if len(given) == 1 else None

    def with_threads(self, estimator: Any, threads: int) -> Any:
        """Set ``thread_count``, and what keeps words and files from the person's screen and folder."""
        return _quiet(estimator).set_params(thread_count=threads)

    def cost(self, estimator: Any) -> float:
        """Rounds times the leaves of a tree."""
        return (self.rounds_of(estimator) or 1) * math.exp2(min(_depth(estimator), _DEEPEST))

    def size(self, estimator: Any) -> float | None:
        """Rounds times the leaves of a tree."""
        rounds = self.rounds_of(estimator)
        return None if rounds is None else rounds * math.exp2(_depth(estimator))

    def ignores_seed(self, estimator: Any) -> bool:
        """CatBoost has a seed of its own, a number."""
        return True

    def extra_parameters(self, estimator: Any) -> Collection[str]:
        """All that its class takes: ``get_params()`` lists what was set."""
        return frozenset(inspect.signature(type(estimator)).parameters)

    def synonyms(self, estimator: Any) -> Collection[Collection[str]]:
        """Return CatBoost's, of which it refuses two in every fit."""
        return _SYNONYMS

    def refusal(self, estimator: Any, parameter: str, value: Any) -> str | None:
        """Refuse no rounds."""
        if parameter in _ROUNDS and is_whole(value) and value < 1:
            return f"{value} iterations cannot be trained. Give 1 or more"
        return None

    def approximation(self, estimator: Any, parameter: str, value: Any) -> str | None:
        """Name coarse bins."""
        if parameter in ("border_count", "max_bin") and is_whole(value) and value < _BINS:
            return f"{parameter} {value} cuts features more coarsely than CatBoost's {_BINS}"
        return None

    def refit(self, estimator: Any, data: Dataset, threads: int, control: Control = UNATTENDED) -> Any:
        """Fit with as many threads, which change no tree."""
        watched = _watched_by(_Watch(control, self.rounds_of(estimator)), estimator)
        estimator.set_params(thread_count=threads)
        return estimator.fit(data.X, self.target(estimator, data), **watched, **fit_parameters(estimator, data))

    def takes_categories(self, estimator: Any, values: Values) -> bool:
        """CatBoost encodes them itself."""
        return True

    def with_categories(self, estimator: Any, columns: Sequence[str], values: Values) -> Mapping[str, Any]:
        """Name them, where the person has not."""
        return {} if values("cat_features") else {"cat_features": list(columns)}

    def takes_gaps_in_categories(self, estimator: Any) -> bool:
        """CatBoost takes gaps in numbers alone."""
        return False


class _Watch:
    """Notes when each round ended, and stops the training when the sweep is interrupted."""

    def __init__(self, control: Control, rounds: int | None) -> None:
        self.control = control
        self.rounds = rounds
        self.begun = time.perf_counter()
        self.ends: list[float] = []

    def after_iteration(self, info: Any) -> bool:
        self.ends.append(time.perf_counter() - self.begun)
        if self.rounds:
            self.control.at_round(len(self.ends), self.rounds)
        return not self.control.cancelled()


def _watched_by(watch: _Watch, estimator: Any) -> dict[str, Any]:
    """Return what ``fit`` is to be given; on a graphics card CatBoost takes no callbacks."""
    return {} if _on_a_card(estimator) else {"callbacks": [watch]}


def _quiet(estimator: Any, always: bool = False) -> Any:
    """Make `estimator` silent where the person has not said how loud it is to be, or `always`."""
    params = estimator.get_params()
    said = [name for name in _SILENT if name in params]
    quiet = {name: _SILENT[name] for name in said or ["logging_level"]} if always or not said else {}
    writes = {} if "allow_writing_files" in params else {"allow_writing_files": False}
    return estimator.set_params(**quiet, **writes)


def _shares_rounds(estimator: Any) -> bool:
    params = estimator.get_params()
    return (
        any(params.get(name) is not None for name in ("learning_rate", "eta"))
        and not any(params.get(name) for name in (*_ALTERS_TREES, *_OTHERWISE))
        and not any(params.get(name) is not None for name in _WATCHES)
        and all(isinstance(params.get(name), str | None) for name in ("loss_function", "objective"))
        and not _on_a_card(estimator)
    )


def _on_a_card(estimator: Any) -> bool:
    return estimator.get_params().get("task_type") not in (None, "CPU")


def _depth(estimator: Any) -> float:
    params = estimator.get_params()
    depth = params.get("depth", params.get("max_depth"))
    return float(depth) if is_whole(depth) else 6.0
