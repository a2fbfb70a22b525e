"""Run one fit: train, score, and report times or the error. The same code runs in every engine's workers."""

from __future__ import annotations

import threading
import time
import warnings
from concurrent.futures import CancelledError
from dataclasses import replace
from typing import Any

from sklearn.base import is_classifier

from tuning.boosting import Prefix, can_share_matrix, is_boosted, train
from tuning.candidates import Candidate
from tuning.dataset import Dataset
from tuning.estimators import for_candidate
from tuning.matrices import FoldMatrices
from tuning.plan import Fit, Workload
from tuning.results import FoldScore
from tuning.scoring import score

_LONGEST_LINE = 500


def run_fit(
    workload: Workload, fit: Fit, matrices: FoldMatrices, cancelled: threading.Event | None = None
) -> list[FoldScore]:
    """Train and score the candidates of one fit.

    Parameters
    ----------
    workload : Workload
    fit : Fit
    matrices : FoldMatrices
        Of the calling process.
    cancelled : Event or None
        Set when the sweep is interrupted; a booster stops after the round at hand.

    Returns
    -------
    list of FoldScore
        One per candidate. What the estimator or a scorer raises is in there, not raised.

    Raises
    ------
    CancelledError
        The event was set.
    """
    try:
        if is_boosted(workload.estimator):
            return _boosted(workload, fit, matrices, cancelled or threading.Event())
        return [_general(workload, fit, candidate, matrices) for candidate in fit.candidates]
    except CancelledError:
        raise
    except Exception as error:  # whatever an estimator raises is that candidate's result, not the sweep's end
        return [FoldScore(candidate, fit.fold, error=_line(error)) for candidate in fit.candidates]


def _boosted(workload: Workload, fit: Fit, matrices: FoldMatrices, cancelled: threading.Event) -> list[FoldScore]:
    by_rounds = [(for_candidate(workload.estimator, c.params, fit.threads), c) for c in fit.candidates]
    longest = max((estimator for estimator, _ in by_rounds), key=lambda e: int(e.get_num_boosting_rounds()))
    classes = workload.data.classes if is_classifier(longest) else None
    begun = time.perf_counter()
    matrix = matrices.training(fit.fold, longest)
    prepared = 0.0 if can_share_matrix(longest) else time.perf_counter() - begun
    fitted, ends = train(longest, matrix, None if classes is None else len(classes), cancelled)
    test = matrices.test_rows(fit.fold)
    if len(by_rounds) == 1:
        return [_score(workload, fit, by_rounds[0][1], fitted, test, prepared + ends[-1])]
    return [
        _score(workload, fit, candidate, Prefix(fitted, rounds), test, prepared + ends[rounds - 1])
        for estimator, candidate in by_rounds
        for rounds in [int(estimator.get_num_boosting_rounds())]
    ]


def _general(workload: Workload, fit: Fit, candidate: Candidate, matrices: FoldMatrices) -> FoldScore:
    estimator = for_candidate(workload.estimator, candidate.params, fit.threads)
    rows = workload.data.rows(workload.folds[fit.fold].train)
    extra = {} if rows.sample_weight is None else {"sample_weight": rows.sample_weight}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        begun = time.perf_counter()
        estimator.fit(rows.X, rows.y, **extra)
        fit_seconds = time.perf_counter() - begun
        scored = _score(workload, fit, candidate, estimator, matrices.test_rows(fit.fold), fit_seconds)
    return replace(scored, warning=_line(caught[0].message)) if caught else scored


def _score(
    workload: Workload, fit: Fit, candidate: Candidate, fitted: Any, test: Dataset, fit_seconds: float
) -> FoldScore:
    begun = time.perf_counter()
    scores = score(fitted, test, workload.scorers)
    return FoldScore(candidate, fit.fold, scores, fit_seconds, time.perf_counter() - begun)


def _line(raised: Exception | Warning | str) -> str:
    """One line that says what was raised."""
    text = " ".join(str(raised).split())
    return f"{type(raised).__name__}: {text}"[:_LONGEST_LINE]
