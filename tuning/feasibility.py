"""Folds on which nothing can be fitted or scored, found before the first fit rather than in every one of them.

Only the estimator and the scorers know what they can do without: a tree learns from one class and a log-loss of it is
defined where a library knows all classes, a logistic regression does not. So we do not judge folds by rules. Where a
side of a fold lacks a class or has hardly a row, a few candidates are tried on a few of its rows, by the code that the
sweep itself runs; what all of them fail at, and manage where every class is there, is refused. GridSearchCV would try
everything, warn, and choose among scores that are not numbers.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import replace

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.utils import get_tags

from errors import SpecError
from tuning.candidates import Candidate
from tuning.dataset import Dataset
from tuning.fitting import run_fit
from tuning.folds import Fold
from tuning.learners.keeper import FoldKeeper
from tuning.learners.steps import active
from tuning.plan import Fit
from tuning.spec.sweep_spec import SweepSpec
from tuning.workload import Workload

_CANDIDATES = 3
_FOLDS = 20  # of those in doubt, the ones that have the fewest classes
_ROWS_OF_EACH_CLASS = 50
_ROUNDS = 0.01
_LONGEST_REASON = 160


def check_folds(spec: SweepSpec, workload: Workload) -> None:
    """Try the folds that lack something.

    Raises
    ------
    SpecError
        No candidate can be fitted, or scored, on some fold; it names the fold and what the fold lacks.
    """
    doubtful = [fold for fold in workload.folds if _lack(fold, workload.data)]
    doubtful.sort(key=lambda fold: _n_classes(fold, workload.data))
    if not doubtful:
        return
    candidates = list(dict.fromkeys([*_first(spec), *spec.space.sample(_CANDIDATES - 1, seed=0)]))
    sound: list[Candidate] | None = None
    for fold in doubtful[:_FOLDS]:
        reason = _reason(workload, fold, candidates[0])
        if not reason:
            continue
        if sound is None:
            everything = Fold(0, np.arange(workload.data.n_rows), np.arange(workload.data.n_rows))
            sound = [candidate for candidate in candidates if not _reason(workload, everything, candidate)]
        if sound and all(_reason(workload, fold, candidate) for candidate in sound):
            raise SpecError(_refusal(workload, fold, _reason(workload, fold, sound[0])))


def check_layout(spec: SweepSpec, workload: Workload) -> None:
    """Refuse sparse rows for an estimator that cannot take them.

    Raises
    ------
    SpecError
    """
    first = active(getattr(workload.estimator, "steps", [("", workload.estimator)]))[0][1]
    if not sp.issparse(workload.data.X) or not hasattr(first, "__sklearn_tags__") or get_tags(first).input_tags.sparse:
        return
    everything = Fold(0, np.arange(workload.data.n_rows), np.arange(workload.data.n_rows))
    candidates = list(dict.fromkeys([*_first(spec), *spec.space.sample(_CANDIDATES - 1, seed=0)]))
    reasons = [_reason(workload, everything, candidate) for candidate in candidates]
    if reasons and all("parse" in reason for reason in reasons):
        raise SpecError(
            f"estimator: {type(first).__name__} takes no sparse rows, as these features are. Choose one that does, "
            "such as xgboost.XGBClassifier, or begin the steps with sklearn.decomposition.TruncatedSVD."
        )


def _first(spec: SweepSpec) -> list[Candidate]:
    return [spec.space.at(0)] if spec.space.size else []


def _n_classes(fold: Fold, data: Dataset) -> tuple[int, int]:
    return len(np.unique(data.y[fold.test])), len(np.unique(data.y[fold.train]))


def _lack(fold: Fold, data: Dataset) -> str:
    """What a side of the fold does not have, in words; empty where it has all."""
    for rows, does in ((fold.train, "trains on"), (fold.test, "tests")):
        if missing := _missing(data, rows):
            more = f" (and of {len(missing) - 1} more)" if len(missing) > 1 else ""
            return f"{does} no row of class {missing[0]}{more}"
        if len(rows) < 2:
            return f"{does} one row only"
        if data.sample_weight is not None and not data.sample_weight[rows].any():
            return f"{does} rows that all weigh 0"
    return ""


def _missing(data: Dataset, rows: NDArray[np.intp]) -> list[str]:
    """Classes without a row among `rows`; of several targets those of each, by the target's place."""
    if data.classes is not None:
        counts = np.bincount(data.y[rows], minlength=len(data.classes))
        return [f"'{label}'" for label in data.classes[counts == 0]]
    if not data.has_labels:
        return []
    return [
        f"'{label}' of target {place}"
        for place, target in enumerate(data.y.T, start=1)
        for label in np.setdiff1d(target, target[rows])
    ]


def _reason(workload: Workload, fold: Fold, candidate: Candidate) -> str:
    """Why `candidate` cannot be fitted or scored on a few rows of `fold`; empty where it can."""
    data = workload.data
    small = replace(workload, folds=(Fold(0, _few(fold.train, data), _few(fold.test, data)),), early_stopping=None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        score = run_fit(small, Fit(0, (candidate,), rounds=_ROUNDS), FoldKeeper(small))[0]
    if score.error:
        return score.error
    deciding = workload.scorers.refit_scorer
    return "" if math.isfinite(score.scores[deciding]) else f"{deciding} is not a number"


def _few(rows: NDArray[np.intp], data: Dataset) -> NDArray[np.intp]:
    """Keep the first rows of each class; of none fewer than the sweep would have, up to what any fit asks for."""
    if data.classes is None:
        return rows[: 10 * _ROWS_OF_EACH_CLASS]
    strata = data.y[rows]
    places = [np.flatnonzero(strata == each)[:_ROWS_OF_EACH_CLASS] for each in np.unique(strata)]
    return rows[np.sort(np.concatenate(places))]


def _refusal(workload: Workload, fold: Fold, reason: str) -> str:
    groups = "" if workload.data.groups is None else " or other groups"
    reason = reason.rstrip(".")
    short = reason if len(reason) <= _LONGEST_REASON else f"{reason[:_LONGEST_REASON]}..."
    return (
        f"cv: fold {fold.index} {_lack(fold, workload.data)}, and no candidate gets a score there ({short}). "
        f"Use fewer folds{groups}, more rows, or another scorer or estimator."
    )
