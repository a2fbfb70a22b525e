"""Training of XGBoost's boosters: one for all candidates that differ in rounds, on a matrix that a whole fold shares.

We call ``xgboost.train`` rather than the estimator's ``fit``, since ``fit`` makes a matrix of its own every time, and
we hand the booster back to a real estimator by its own ``load_model``, so that predictions, classes and scorer
responses are XGBoost's and not a copy of them. The tests hold every booster type and objective against GridSearchCV.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import CancelledError
from typing import Any

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier

from tuning.control import Control
from tuning.learners.curves import RoundScores
from tuning.learners.threads import ThreadTrial

_release_freed = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None  # glibc's alone


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
        A QuantileDMatrix where ``can_share_matrix``; its cuts are those of these rows alone: cuts over all rows would
        serve every fold at once, but they would carry the test rows' values into training.
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


def test_matrix(estimator: Any, X: Any, y: NDArray[Any]) -> xgb.DMatrix:
    """Test rows as `estimator` reads them, for predictions that are kept up to date as it trains."""
    return xgb.DMatrix(
        X,
        label=y,
        missing=estimator.missing,
        nthread=estimator.n_jobs,
        enable_categorical=bool(estimator.enable_categorical),
    )


def matrix_signature(estimator: Any) -> str:
    """What in the parameters changes the matrix: fits of a fold with equal signatures can share one."""
    names = ("max_bin", "missing", "enable_categorical", "feature_types", "feature_weights", "device")
    return repr([getattr(estimator, name, None) for name in names])


def give_back_freed_memory() -> None:
    """Let the allocator return what sketching has freed: as much as the matrix holds, which it would keep."""
    if _release_freed is not None:
        _release_freed(0)


_logging = threading.local()


def log_to_python() -> None:
    """Have XGBoost's own log of this thread raised as Python's warnings, as it is in the main thread.

    XGBoost keeps the function that it logs to for each thread, and where there is none it writes to the terminal. The
    one of the main thread is given again rather than another made, which would let go of it while XGBoost has it.
    """
    if getattr(_logging, "to_python", False):
        return
    _logging.to_python = True
    callback = getattr(xgb.core._LIB, "callback", None)
    if callback is None or xgb.core._LIB.XGBRegisterLogCallback(callback) != 0:
        xgb.set_config(verbosity=0)  # of this thread alone


class RoundWatch(xgb.callback.TrainingCallback):  # type: ignore[misc]
    """Notes when each round ended, and stops the training when its curve has peaked or the sweep is interrupted.

    Parameters
    ----------
    control : Control
    rounds : int
        In all.
    curve : RoundScores or None
    """

    def __init__(self, control: Control, rounds: int, curve: RoundScores | None = None) -> None:
        super().__init__()
        self.control = control
        self.rounds = rounds
        self.curve = curve
        self.begun = time.perf_counter()
        self.ends: list[float] = []

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Note the round, and say whether training is to end."""
        self.ends.append(time.perf_counter() - self.begun)
        self.control.at_round(len(self.ends), self.rounds)
        return self.control.cancelled() or (self.curve is not None and self.curve.has_peaked)


def train(
    estimator: Any,
    matrix: xgb.DMatrix,
    n_classes: int | None,
    control: Control,
    curve: RoundScores | None = None,
    test: xgb.DMatrix | None = None,
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
    curve : RoundScores or None
        Given where the predictions for `test` are to be scored after every round, and training to end when the scores
        have peaked.
    test : DMatrix or None

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
    rounds = estimator.get_num_boosting_rounds()
    watch = RoundWatch(control, rounds, curve)
    settings: dict[str, Any] = {
        "callbacks": [*(estimator.callbacks or []), watch, *_thread_trial(estimator, control)],
        "verbose_eval": False,
    }
    params = booster_params(estimator, n_classes)
    if curve is not None:
        settings |= {
            "evals": [(test, "test")],
            "custom_metric": lambda predictions, _: ("score", curve.add(predictions)),
        }
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
