"""LightGBM: one booster for all candidates that differ in rounds, and every round scored as it is trained.

The first n rounds of a long training are bit-identical to a training of n rounds for gbdt and goss, with bagging,
sampled columns, extra trees, linear trees and quantised gradients. They are not for dart, which rescales earlier trees;
a random forest's rounds are left alone too, since they are no boosting. A round that finds no split adds no tree and
the next one may, so the trees that stand after each round are counted, and a candidate is cut at its own count.

Every fit has one thread. With one, histograms by rows and by columns are bit-identical, so it does not matter which of
the two LightGBM finds faster; with more, sums depend on their order. LightGBM also keeps its number of threads for the
whole process, and sizes buffers by it, so fits side by side in threads must all have the same.

A Dataset is not shared by the fits of a fold. The estimator's ``fit`` makes one from the parameters of its own, and a
fitted estimator can be had from it alone: what is trained elsewhere would have to be put in by private attributes.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any, ClassVar

import lightgbm as lgb
import numpy as np
from lightgbm.basic import _ConfigAliases  # the only place that names all parameters
from sklearn.base import is_classifier

from tuning.control import UNATTENDED, Control
from tuning.dataset import Dataset
from tuning.learners.base import Curves, Fitted, FoldRows, Judge, Learner, Place, Values
from tuning.learners.curves import RoundScores
from tuning.learners.unfitted import class_name, fit_parameters, is_whole
from tuning.learners.views import WithOptions, in_labels

ROUNDS = "n_estimators"
_CLASSES = ("lightgbm.LGBMClassifier", "lightgbm.LGBMRegressor")
_EXACT = "the first rounds of one booster are a booster of so many rounds"
_BOOSTED = ("gbdt", "gbrt", "goss")
_OTHERWISE = ("early_stopping_round", "input_model", "machines")
_BINS = 255
_LEAVES = 31
_STRANGE = '"[]{},:\t\r\n '  # it refuses what JSON is made of, and rewrites blanks

warnings.filterwarnings("ignore", "The argument 'eval_set' is deprecated")  # what replaces it does not encode labels
# What is said in threads other than the importing one goes to the process's own output all the same: hence _silent.
lgb.register_logger(logging.getLogger("lightgbm"), "debug", "debug")


class LightgbmLearner(Learner):
    """LGBMClassifier and LGBMRegressor; rankers need query groups and take the plain way."""

    name: ClassVar[str] = "lightgbm"
    asks_control: ClassVar[bool] = True
    rounds: ClassVar[str | None] = ROUNDS
    only_reads: ClassVar[bool] = True

    def knows(self, estimator: Any) -> bool:
        """Whether `estimator` is of one of LightGBM's own classes."""
        return class_name(estimator) in _CLASSES

    def place(self, estimator: Any, n_values: int = 0) -> Place:
        """Threads: LightGBM lets go of the interpreter lock while it trains."""
        return "threads"

    def free(self, estimator: Any) -> Mapping[str, str]:
        """Return the rounds, where a long training's first are a short one."""
        name = self.rounds_name(estimator)
        rounds = estimator.get_params().get(name)
        shared = name is not None and _shares_rounds(estimator) and is_whole(rounds) and rounds > 0
        return {str(name): _EXACT} if shared else {}

    def whole(self, estimators: Sequence[Any]) -> Any:
        """Return the one with the most rounds."""
        return max(estimators, key=lambda estimator: self.rounds_of(estimator) or 0)

    def fit(self, estimator: Any, rows: FoldRows) -> Fitted:
        """Train by the estimator's own ``fit``, with an eye on each round."""
        training = rows.training()
        watch = _Watch(rows.control)
        weights = fit_parameters(estimator, training)
        _silent(estimator).fit(training.X, self.target(estimator, training), callbacks=[watch], **weights)
        return Fitted(_Grown(estimator, watch.trees), watch.ends[-1], watch.ends)

    def cut(self, fitted: Fitted, estimator: Any) -> Any:
        """Return the trees of the first rounds."""
        grown, rounds = fitted.model, self.rounds_of(estimator)
        if not self.free(estimator) or rounds is None:
            return grown.estimator
        return WithOptions(grown.estimator, {"num_iteration": grown.trees[rounds - 1]})

    def can_stop_early(self, estimator: Any) -> bool:
        """Where rounds are shared."""
        return bool(self.free(estimator))

    def curves(self, estimator: Any, rows: FoldRows, judge: Judge, patience: int) -> Curves:
        """Score each round from the predictions that LightGBM keeps up to date as it trains."""
        training, test = rows.training(), rows.shared_test()
        y = self.target(estimator, training)
        classes = np.unique(y) if is_classifier(estimator) else None
        curve = RoundScores(estimator, in_labels(None, False, test)[1], classes, judge, patience)
        watch = _Watch(rows.control, curve)
        _silent(estimator).set_params(metric="None").fit(
            training.X,
            y,
            eval_set=[(test.X, np.full(test.n_rows, y[0]))],  # no metric looks at the target
            eval_metric=lambda _, predictions: ("score", curve.add(predictions), True),
            callbacks=[watch],
            **fit_parameters(estimator, training),
        )
        return Curves(curve.scores, watch.ends[-1])

    def rounds_name(self, estimator: Any) -> str | None:
        """Name the parameter that LightGBM takes its rounds from, of the many that it knows for them."""
        given = [name for name in _given(estimator, "num_iterations") if name != ROUNDS]
        return ROUNDS if not given else given[0] if len(given) == 1 else None

    def with_threads(self, estimator: Any, threads: int) -> Any:
        """Hold `estimator` to one thread: see above."""
        return estimator.set_params(**dict.fromkeys(["n_jobs", *_given(estimator, "num_threads")], 1))

    def cost(self, estimator: Any) -> float:
        """Rounds times leaves."""
        return float(self.rounds_of(estimator) or 1) * _leaves(estimator)

    def size(self, estimator: Any) -> float | None:
        """Rounds times the leaves that a tree can have."""
        rounds = self.rounds_of(estimator)
        return None if rounds is None else rounds * _leaves(estimator)

    def ignores_seed(self, estimator: Any) -> bool:
        """LightGBM has seeds of its own, which are numbers."""
        return _has_no_generator(estimator)

    def extra_parameters(self, estimator: Any) -> Collection[str]:
        """All that LightGBM documents, with every name that it has for it."""
        return frozenset(name for names in self.synonyms(estimator) for name in names)

    def synonyms(self, estimator: Any) -> Collection[Collection[str]]:
        """Return LightGBM's own list."""
        return list(_ConfigAliases._get_all_param_aliases().values())

    def refusal(self, estimator: Any, parameter: str, value: Any) -> str | None:
        """Refuse no rounds, and names that LightGBM does not look at beside the estimator's own."""
        if parameter in _ConfigAliases.get("num_iterations") and is_whole(value) and value < 1:
            return f"{value} rounds cannot be trained. Give 1 or more"
        own = _outranking(parameter)
        if own is not None:
            return f"LightGBM takes {own} in its place, which LGBM estimators always have. Write {own}"
        return None

    def approximation(self, estimator: Any, parameter: str, value: Any) -> str | None:
        """Name coarse bins."""
        if parameter in _ConfigAliases.get("max_bin") and is_whole(value) and value < _BINS:
            return f"{parameter} {value} cuts features more coarsely than LightGBM's {_BINS}"
        return None

    def refit(self, estimator: Any, data: Dataset, threads: int, control: Control = UNATTENDED) -> Any:
        """Fit with as many threads, quietly unless the person has asked for words."""
        estimator.set_params(**dict.fromkeys(["n_jobs", *_given(estimator, "num_threads")], threads))
        quiet = estimator if _given(estimator, "verbosity") else _silent(estimator)
        watch, weights = _Watch(control), fit_parameters(estimator, data)
        return quiet.fit(data.X, self.target(estimator, data), callbacks=[watch], **weights)

    def takes_categories(self, estimator: Any, values: Values) -> bool:
        """LightGBM knows them by the frame's types."""
        return True

    def strange_characters(self, estimator: Any) -> str:
        """Return the marks that JSON is made of, and blanks."""
        return _STRANGE


@dataclass(frozen=True)
class _Grown:
    """A fitted estimator, and how many trees of each class it had after each round."""

    estimator: Any
    trees: Sequence[int]


class _Watch:
    """Notes when each round ended and what it left, and stops where a curve has peaked or the sweep is interrupted."""

    def __init__(self, control: Control, curve: RoundScores | None = None) -> None:
        self.control = control
        self.curve = curve
        self.begun = time.perf_counter()
        self.ends: list[float] = []
        self.trees: list[int] = []

    def __call__(self, env: Any) -> None:
        self.ends.append(time.perf_counter() - self.begun)
        self.trees.append(env.model.current_iteration())
        self.control.at_round(len(self.ends), env.end_iteration - env.begin_iteration)
        if self.control.cancelled():
            raise CancelledError
        if self.curve is not None and self.curve.has_peaked:
            raise lgb.EarlyStopException(env.iteration, env.evaluation_result_list)


def _given(estimator: Any, parameter: str) -> list[str]:
    """Names for `parameter` that `estimator` has a value for."""
    names = _ConfigAliases.get(parameter)
    return sorted(name for name in estimator.get_params() if name in names)


def _values(estimator: Any, parameter: str) -> list[Any]:
    params = estimator.get_params()
    return [params[name] for name in _given(estimator, parameter)]


def _silent(estimator: Any) -> Any:
    """Make `estimator` say nothing, which changes no tree."""
    return estimator.set_params(**dict.fromkeys(_given(estimator, "verbosity") or ["verbosity"], -1))


def _shares_rounds(estimator: Any) -> bool:
    """Whether the first n rounds of a long fit of `estimator` are the same as a fit of n rounds, on this machine."""
    return (
        all(value in _BOOSTED for value in _values(estimator, "boosting"))
        and all(value in (None, "cpu") for value in _values(estimator, "device_type"))
        and all(value == "serial" for value in _values(estimator, "tree_learner"))
        and not any(callable(value) for value in _values(estimator, "objective"))
        and not any(
            map(any, (_values(estimator, name) for name in ("early_stopping_round", "input_model", "machines")))
        )
        and _has_no_generator(estimator)
    )


def _has_no_generator(estimator: Any) -> bool:
    state = estimator.get_params()["random_state"]
    return state is None or is_whole(state)


def _outranking(parameter: str) -> str | None:
    """Name the estimator's own parameter that LightGBM looks at where `parameter` is another name for it.

    A parameter's main name counts before its others, and a shorter one of those before a longer. The sklearn API deals
    with a few of them by itself.
    """
    own = lgb.LGBMRegressor().get_params()
    for main, names in _ConfigAliases._get_all_param_aliases().items():
        mine = next((name for name in names if name in own), None)
        by_api = main in ("num_iterations", "num_threads", "objective")
        if parameter not in names or mine in (None, parameter) or by_api:
            continue
        wins = parameter == main or (mine != main and (len(parameter), parameter) < (len(mine), mine))
        return None if wins else mine
    return None


def _leaves(estimator: Any) -> float:
    params = estimator.get_params()
    leaves, depth = params.get("num_leaves"), params.get("max_depth")
    most = float(leaves) if is_whole(leaves) else float(_LEAVES)
    return min(most, 2.0**depth) if is_whole(depth) and depth > 0 else most
