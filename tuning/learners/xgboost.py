"""XGBoost fits: one booster for all candidates that differ in rounds, one quantised matrix for all fits of a fold.

We call ``xgboost.train`` rather than the estimator's ``fit``, since ``fit`` makes a matrix of its own every time, and
we hand the booster back to a real estimator by its own ``load_model``, so that predictions, classes and scorer
responses are XGBoost's and not a copy of them. The tests hold every booster type and objective against GridSearchCV.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import CancelledError
from typing import Any

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier

from tuning.control import Control
from tuning.learners.curves import Curves
from tuning.learners.threads import ThreadTrial

ROUNDS = "n_estimators"
"""The parameter whose shorter values are prefixes of a longer fit."""

# What a booster understands beyond its estimator's own parameters (XGBoost's "Parameters" page); get_params() of an
# unfitted estimator does not list them. Aliases such as seed and nthread are left out: two names, two values.
BOOSTER_PARAMETERS = frozenset(
    {"feature_selector", "huber_slope", "max_cached_hist_node", "normalize_type", "num_class", "one_drop"}
    | {"process_type", "quantile_alpha", "rate_drop", "refresh_leaf", "sample_type", "skip_drop", "top_k"}
    | {"aft_loss_distribution", "aft_loss_distribution_scale", "tweedie_variance_power", "updater"}
)
_WHOLE_FOREST_PER_ROUND = (xgb.XGBRFClassifier, xgb.XGBRFRegressor)


def is_boosted(estimator: Any) -> bool:
    """Whether the fits of `estimator` are planned here; rankers need query groups and take the general path."""
    return isinstance(estimator, xgb.XGBClassifier | xgb.XGBRegressor)


def shares_prefixes(estimator: Any) -> bool:
    """Whether the first n rounds of a long fit of `estimator` are the same as a fit of n rounds.

    Not for dart, which drops earlier trees anew in every round and rescales them; not for gblinear, which has no trees
    to cut; not for random forests, whose ``n_estimators`` is the size of the only round; not where something watches
    the rounds (callbacks, early stopping) or updates a given model.
    """
    if not is_boosted(estimator) or isinstance(estimator, _WHOLE_FOREST_PER_ROUND):
        return False
    params = estimator.get_params()
    return (
        params.get("booster") in (None, "gbtree")
        and params.get("process_type") in (None, "default")
        and not params.get("callbacks")
        and params.get("early_stopping_rounds") is None
    )


def can_share_matrix(estimator: Any) -> bool:
    """Whether `estimator` trains on a matrix of bins, which any number of fits and threads can read at once.

    The exact and approximate tree methods and gblinear take the raw values and lay out pages of their own in the
    matrix as they train, so those fits each have one to themselves.
    """
    return estimator.tree_method in (None, "auto", "hist") and estimator.booster != "gblinear"


def training_matrix(estimator: Any, X: Any, y: NDArray[Any], weight: NDArray[np.float64] | None) -> xgb.DMatrix:
    """Make the matrix that `estimator` would make for itself in ``fit``.

    Parameters
    ----------
    estimator : XGBClassifier or XGBRegressor
    X : array-like of shape (n_rows, n_columns)
    y : ndarray of shape (n_rows,)
    weight : ndarray of shape (n_rows,) or None

    Returns
    -------
    DMatrix
        A QuantileDMatrix where ``can_share_matrix``; its cuts are those of these rows alone.
    """
    settings = {
        "data": X,
        "label": y,
        "weight": weight,
        "missing": estimator.missing,
        "nthread": estimator.n_jobs,
        "enable_categorical": bool(estimator.enable_categorical),
        "feature_types": estimator.feature_types,
        "feature_weights": getattr(estimator, "feature_weights", None),
    }
    if can_share_matrix(estimator):
        return xgb.QuantileDMatrix(**settings, max_bin=estimator.max_bin or 256)
    return xgb.DMatrix(**settings)


def matrix_signature(estimator: Any) -> str:
    """What in the parameters changes the matrix: fits of a fold with equal signatures can share one."""
    names = ("max_bin", "missing", "enable_categorical", "feature_types", "feature_weights", "device")
    return repr([getattr(estimator, name, None) for name in names])


class _Watch(xgb.callback.TrainingCallback):  # type: ignore[misc]
    """Notes when each round ended, and stops the training when its curve has peaked or the sweep is interrupted."""

    def __init__(self, control: Control, curves: Curves | None) -> None:
        super().__init__()
        self.control = control
        self.curves = curves
        self.begun = time.perf_counter()
        self.ends: list[float] = []

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        self.ends.append(time.perf_counter() - self.begun)
        return self.control.cancelled() or (self.curves is not None and self.curves.has_peaked)


def train(
    estimator: Any,
    matrix: xgb.DMatrix,
    n_classes: int | None,
    control: Control,
    curves: Curves | None = None,
) -> tuple[Any, Sequence[float]]:
    """Train `estimator` on `matrix` for its own number of rounds.

    Parameters
    ----------
    estimator : XGBClassifier or XGBRegressor
        Unfitted.
    matrix : DMatrix
    n_classes : int or None
        For a classifier.
    control : Control
        Asked after every round.
    curves : Curves or None
        Given where test scores are to be noted after every round, and training to end when they have peaked.

    Returns
    -------
    fitted : object
        Of the type of `estimator`.
    ends : sequence of float
        Seconds from the start to the end of each round.

    Raises
    ------
    CancelledError
        The sweep was interrupted.
    """
    watch = _Watch(control, curves)
    rounds = estimator.get_num_boosting_rounds()
    settings: dict[str, Any] = {
        "callbacks": [*(estimator.callbacks or []), watch, *_thread_trial(estimator, control)],
        "verbose_eval": False,
    }
    params = booster_params(estimator, n_classes)
    if curves is not None:
        settings |= {"evals": [(curves.matrix(), "test")], "custom_metric": curves.note}
        params["disable_default_eval_metric"] = True
    booster = xgb.train(params, matrix, rounds, **settings)
    if control.cancelled():
        raise CancelledError
    fitted = clone(estimator)
    fitted.load_model(bytearray(booster.save_raw("ubj")))
    return fitted, watch.ends


def _thread_trial(estimator: Any, control: Control) -> list[ThreadTrial]:
    """Only for the histogram method, whose trees do not depend on the number of threads."""
    return [ThreadTrial(control.threads)] if estimator.n_jobs == 1 and can_share_matrix(estimator) else []


def booster_params(estimator: Any, n_classes: int | None) -> dict[str, Any]:
    """Parameters of the booster, with the objective widened to many classes as ``XGBClassifier.fit`` does it."""
    params: dict[str, Any] = estimator.get_xgb_params()
    if is_classifier(estimator) and n_classes is not None and n_classes > 2:
        if params.get("objective") != "multi:softmax":
            params["objective"] = "multi:softprob"
        params["num_class"] = n_classes
    return params


class Prefix:
    """The first rounds of a fitted estimator, as an estimator that scorers accept.

    Parameters
    ----------
    fitted : XGBClassifier or XGBRegressor
    rounds : int
        How many of its rounds count.
    """

    def __init__(self, fitted: Any, rounds: int) -> None:
        self._fitted = fitted
        self._rounds = (0, rounds)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fitted, name)

    def __sklearn_tags__(self) -> Any:
        return self._fitted.__sklearn_tags__()

    def predict(self, X: Any) -> Any:
        """Predict from these rounds alone."""
        return self._fitted.predict(X, iteration_range=self._rounds)

    def predict_proba(self, X: Any) -> Any:
        """Give class probabilities from these rounds alone."""
        return self._fitted.predict_proba(X, iteration_range=self._rounds)
