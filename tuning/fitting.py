"""Run one fit: train, score, and report times or the error. The same code runs in every engine's workers."""

from __future__ import annotations

import math
import time
import warnings
from concurrent.futures import CancelledError
from dataclasses import replace
from typing import Any

from sklearn.base import is_classifier

from tuning.candidates import Candidate
from tuning.control import UNATTENDED, Control
from tuning.dataset import Dataset
from tuning.learners.curves import Curves, at_round, best_rounds
from tuning.learners.matrices import FoldMatrices
from tuning.learners.xgboost import ROUNDS, Prefix, can_share_matrix, is_boosted, train
from tuning.plan import Fit, Workload
from tuning.results.sweep_result import FoldScore
from tuning.scoring import score
from tuning.spec.estimators import for_candidate, weight_parameter

_LONGEST_LINE = 500


def run_fit(workload: Workload, fit: Fit, matrices: FoldMatrices, control: Control = UNATTENDED) -> list[FoldScore]:
    """Train and score the candidates of one fit.

    Parameters
    ----------
    workload : Workload
    fit : Fit
    matrices : FoldMatrices
        Of the calling process.
    control : Control
        What the engine has to say while a booster trains.

    Returns
    -------
    list of FoldScore
        One per candidate. What the estimator or a scorer raises is in there, not raised.

    Raises
    ------
    CancelledError
        The sweep was interrupted.
    """
    try:
        if is_boosted(workload.estimator):
            return _boosted(workload, fit, matrices, control)
        return [_general(workload, fit, candidate, matrices) for candidate in fit.candidates]
    except CancelledError:
        raise
    except Exception as error:  # whatever an estimator raises is that candidate's result, not the sweep's end
        share = fit.rows * fit.rounds
        return [FoldScore(candidate, fit.fold, error=_line(error), share=share) for candidate in fit.candidates]


def _boosted(workload: Workload, fit: Fit, matrices: FoldMatrices, control: Control) -> list[FoldScore]:
    by_rounds = [(_estimator(workload, fit, candidate), candidate) for candidate in fit.candidates]
    longest = max((estimator for estimator, _ in by_rounds), key=lambda e: int(e.get_num_boosting_rounds()))
    classes = workload.data.classes if is_classifier(longest) else None
    begun = time.perf_counter()
    matrix = matrices.training(fit, longest)
    prepared = 0.0 if can_share_matrix(longest) else time.perf_counter() - begun
    test = matrices.test_rows(fit.fold)
    curves = _curves(workload, longest, test)
    fitted, ends = train(longest, matrix, None if classes is None else len(classes), control, curves)
    if curves is not None:
        return [_stopped_early(fit, candidate, curves, prepared + ends[-1]) for _, candidate in by_rounds]
    if len(by_rounds) == 1:
        return [_score(workload, fit, by_rounds[0][1], fitted, test, prepared + ends[-1])]
    return [
        _score(workload, fit, candidate, Prefix(fitted, rounds), test, prepared + ends[rounds - 1])
        for estimator, candidate in by_rounds
        for rounds in [int(estimator.get_num_boosting_rounds())]
    ]


def _estimator(workload: Workload, fit: Fit, candidate: Candidate) -> Any:
    """Build the candidate's estimator, with its share of rounds where the fit has but a share of them."""
    estimator = for_candidate(workload.estimator, candidate.params, fit.threads)
    if fit.device is not None:
        estimator.set_params(device=fit.device)
    if fit.rounds == 1.0:
        return estimator
    rounds = estimator.get_params(deep=False).get(ROUNDS)
    return estimator.set_params(**{ROUNDS: max(1, math.ceil(fit.rounds * (rounds or 100)))})


def _curves(workload: Workload, estimator: Any, test: Dataset) -> Curves | None:
    stopping = workload.early_stopping
    return None if stopping is None else Curves(estimator, test, workload.scorers, stopping.patience)


def _stopped_early(fit: Fit, candidate: Candidate, curves: Curves, fit_seconds: float) -> FoldScore:
    """Give the fold's scores at its own best round for now; which round counts, all folds decide together."""
    scores = at_round(curves.scores, best_rounds([next(iter(curves.scores.values()))]))
    return FoldScore(candidate, fit.fold, scores, fit_seconds, curves=curves.scores)


def _general(workload: Workload, fit: Fit, candidate: Candidate, matrices: FoldMatrices) -> FoldScore:
    estimator = _estimator(workload, fit, candidate)
    rows = matrices.training_rows(fit)
    extra = {} if rows.sample_weight is None else {weight_parameter(estimator): rows.sample_weight}
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
    return FoldScore(candidate, fit.fold, scores, fit_seconds, time.perf_counter() - begun, share=fit.rows * fit.rounds)


def _line(raised: Exception | Warning | str) -> str:
    """One line that says what was raised."""
    text = " ".join(str(raised).split())
    return f"{type(raised).__name__}: {text}"[:_LONGEST_LINE]
