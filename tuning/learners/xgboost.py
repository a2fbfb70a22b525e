"""XGBoost: one booster for all candidates that differ in rounds, one quantised matrix for all fits of a fold.

The first n rounds of a long training are bit-identical to a training of n rounds for the methods hist, approx and
exact, with sampling of rows and columns. They are not for dart, which drops earlier trees anew in every round and
rescales them; gblinear has no trees to cut; a random forest's ``n_estimators`` is the size of its only round. The
objective multi:softmax is left out too: while it trains its predictions are ids of classes, and only the estimator
itself, fitted whole, makes probabilities of them. Several targets have a tree each in every round, as classes have;
trees of vectors (multi_strategy: multi_output_tree) are XGBoost's experiment, and fitted separately.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from sklearn.base import is_classifier

from tuning.control import UNATTENDED, Control
from tuning.dataset import Dataset
from tuning.learners.base import Curves, Fitted, FoldRows, Judge, Learner, Place, Values
from tuning.learners.boosters import (
    RoundWatch,
    can_share_matrix,
    give_back_freed_memory,
    log_to_python,
    matrix_signature,
    test_matrix,
    train,
    training_matrix,
)
from tuning.learners.curves import RoundScores
from tuning.learners.graphics_cards import cuda_devices
from tuning.learners.threads import ThreadTrial
from tuning.learners.unfitted import class_name, fit_parameters, is_whole
from tuning.learners.views import WithOptions, in_labels

ROUNDS = "n_estimators"
_CATEGORICAL = "enable_categorical"
_CLASSES = ("xgboost.XGBClassifier", "xgboost.XGBRegressor", "xgboost.XGBRFClassifier", "xgboost.XGBRFRegressor")
_OF_A_BOOSTER = _CLASSES[:2]

# What a booster understands beyond its estimator's own parameters (XGBoost's "Parameters" page); get_params() of an
# unfitted estimator does not list them. Aliases such as seed and nthread are left out: two names, two values.
_BOOSTER_PARAMETERS = frozenset(
    {"feature_selector", "huber_slope", "max_cached_hist_node", "normalize_type", "num_class", "one_drop"}
    | {"process_type", "quantile_alpha", "rate_drop", "refresh_leaf", "sample_type", "skip_drop", "top_k"}
    | {"aft_loss_distribution", "aft_loss_distribution_scale", "tweedie_variance_power", "updater"}
)
_DEEPEST = 10  # beyond it trees run out of rows, not of levels
_BINS = 256
_EXACT = "the first rounds of one booster are a booster of so many rounds"


class XgboostLearner(Learner):
    """XGBClassifier, XGBRegressor and their random forests; rankers need query groups and take the plain way."""

    name: ClassVar[str] = "xgboost"
    asks_control: ClassVar[bool] = True
    rounds: ClassVar[str | None] = ROUNDS
    only_reads: ClassVar[bool] = True

    def knows(self, estimator: Any) -> bool:
        """Whether `estimator` is of one of XGBoost's own classes."""
        return class_name(estimator) in _CLASSES

    def place(self, estimator: Any, n_values: int = 0) -> Place:
        """Threads: XGBoost lets go of the interpreter lock while it trains."""
        return "threads"

    def free(self, estimator: Any) -> Mapping[str, str]:
        """Return ``n_estimators``, where a long training's first rounds are a short one."""
        if not _shares_rounds(estimator):
            return {}
        rounds = estimator.get_params().get(ROUNDS)
        return {ROUNDS: _EXACT} if rounds is None or (is_whole(rounds) and rounds > 0) else {}

    def whole(self, estimators: Sequence[Any]) -> Any:
        """Return the one with the most rounds."""
        return max(estimators, key=lambda estimator: int(estimator.get_num_boosting_rounds()))

    def fit(self, estimator: Any, rows: FoldRows) -> Fitted:
        """Train on the fold's matrix; what is trained otherwise than on one, or in no round, by its own ``fit``."""
        log_to_python()
        if not self.free(estimator) or not rows.has_all_classes:
            return super().fit(estimator, rows)
        begun = time.perf_counter()
        matrix, shared = self._matrix(estimator, rows)
        prepared = 0.0 if shared else time.perf_counter() - begun
        fitted, ends = train(estimator, matrix, _n_classes(estimator, rows), rows.control)
        return Fitted(fitted, prepared + ends[-1], [prepared + end for end in ends], shared)

    def _matrix(self, estimator: Any, rows: FoldRows) -> tuple[Any, list[str]]:
        """Training rows as `estimator` wants them: shared where they are bins, new where training lays out its own."""
        if not can_share_matrix(estimator):
            return _make_matrix(self, estimator, rows), []
        name = f"matrix {matrix_signature(estimator)}"
        return rows.once(name, lambda: _make_matrix(self, estimator, rows)), ["one quantised matrix per fold"]

    def cut(self, fitted: Fitted, estimator: Any) -> Any:
        """Return the first rounds of what was trained."""
        if not self.free(estimator):
            return fitted.model
        return WithOptions(fitted.model, {"iteration_range": (0, int(estimator.get_num_boosting_rounds()))})

    def can_stop_early(self, estimator: Any) -> bool:
        """Where rounds are shared."""
        return bool(self.free(estimator))

    def curves(self, estimator: Any, rows: FoldRows, judge: Judge, patience: int) -> Curves:
        """Score each round from the predictions that XGBoost keeps up to date as it trains."""
        log_to_python()
        matrix, _ = self._matrix(estimator, rows)
        test = rows.shared_test()
        _, labelled = in_labels(None, True, test)
        curve = RoundScores(estimator, labelled, test.classes, judge, patience)
        n_classes = _n_classes(estimator, rows)
        _, ends = train(estimator, matrix, n_classes, rows.control, curve, test_matrix(estimator, test.X, test.y))
        return Curves(curve.scores, ends[-1])

    def on_device(self, estimator: Any, device: str) -> Any:
        """Set ``device``."""
        return estimator.set_params(device=device)

    def devices(self, estimator: Any) -> Sequence[str]:
        """Graphics cards that ``device`` stands for."""
        return cuda_devices(estimator.device)

    def cost(self, estimator: Any) -> float:
        """Rounds times the leaves of a tree.

        A round's time goes to filling histograms for every node, and their number doubles with depth, while rows
        hardly count: bins, not rows, are the cost.
        """
        rounds, depth = self.rounds_of(estimator), estimator.get_params().get("max_depth")
        levels = min(depth, _DEEPEST) if is_whole(depth) else 6
        return float(rounds or 1) * 2.0**levels

    def size(self, estimator: Any) -> float | None:
        """Rounds times the leaves that a tree can have; None where depth and leaves are not limited."""
        params = estimator.get_params()
        depth, leaves = params.get("max_depth"), params.get("max_leaves")
        depth = 6 if depth is None else depth
        bounds = [2.0**depth] if is_whole(depth) and depth > 0 else []
        bounds += [float(leaves)] if is_whole(leaves) and leaves > 0 else []
        rounds = self.rounds_of(estimator)
        return rounds * min(bounds) if bounds and rounds is not None else None

    def ignores_seed(self, estimator: Any) -> bool:
        """XGBoost's own seed is 0 where none is set."""
        return True

    def tolerance(self, estimator: Any) -> float:
        """What the quantised matrix may make of a score in the last digits of its 32-bit floats."""
        return 1e-6

    def extra_parameters(self, estimator: Any) -> Collection[str]:
        """Parameters that only a booster knows."""
        return _BOOSTER_PARAMETERS

    def refusal(self, estimator: Any, parameter: str, value: Any) -> str | None:
        """Refuse fewer than no rounds, which XGBoost takes for none."""
        if parameter == ROUNDS and is_whole(value) and value < 0:
            return f"{value} rounds cannot be trained. Give 0 or more"
        return None

    def approximation(self, estimator: Any, parameter: str, value: Any) -> str | None:
        """Name coarse bins."""
        if parameter == "max_bin" and is_whole(value) and value < _BINS:
            return f"max_bin {value} cuts features more coarsely than XGBoost's {_BINS}"
        return None

    def takes_categories(self, estimator: Any, values: Values) -> bool:
        """Whether nothing that the sweep says stands against it."""
        against = {_CATEGORICAL: False, "booster": "gblinear", "tree_method": "exact"}
        return not any(value in values(name) for name, value in against.items())

    def with_categories(self, estimator: Any, columns: Sequence[str], values: Values) -> Mapping[str, Any]:
        """Enable them, which XGBoost wants to be told."""
        return {} if values(_CATEGORICAL) else {_CATEGORICAL: True}

    def strange_characters(self, estimator: Any) -> str:
        """Return the marks that XGBoost writes its trees with."""
        return "[]<"

    def refit(self, estimator: Any, data: Dataset, threads: int, control: Control = UNATTENDED) -> Any:
        """Fit with all cores, which a booster that can be told in the middle of training takes only where they help."""
        given = estimator.get_params()["callbacks"]
        if not can_share_matrix(estimator) or not _shares_rounds(estimator):
            return super().refit(estimator, data, threads, control)
        watch = RoundWatch(control, estimator.get_num_boosting_rounds())
        estimator.set_params(n_jobs=1, callbacks=[*(given or []), watch, ThreadTrial(lambda: threads)])
        estimator.fit(data.X, self.target(estimator, data), **fit_parameters(estimator, data))
        estimator.callbacks = given  # set_params would hand all parameters to the booster, which does not take each
        return estimator


def _shares_rounds(estimator: Any) -> bool:
    """Whether the first n rounds of a long fit of `estimator` are the same as a fit of n rounds.

    Not where something watches the rounds (callbacks, early stopping) or updates a given model.
    """
    if class_name(estimator) not in _OF_A_BOOSTER:
        return False
    params = estimator.get_params()
    return (
        params.get("booster") in (None, "gbtree")
        and params.get("process_type") in (None, "default")
        and params.get("objective") != "multi:softmax"
        and params.get("multi_strategy") != "multi_output_tree"
        and not params.get("callbacks")
        and params.get("early_stopping_rounds") is None
    )


def _make_matrix(learner: XgboostLearner, estimator: Any, rows: FoldRows) -> Any:
    training = rows.training()
    y = learner.target(estimator, training)
    matrix = training_matrix(estimator, training.X, y, training.sample_weight)
    del training
    give_back_freed_memory()
    return matrix


def _n_classes(estimator: Any, rows: FoldRows) -> int | None:
    classes = rows.shared_test().classes
    return len(classes) if classes is not None and is_classifier(estimator) else None
