"""The same candidates on the same folds, by us and by GridSearchCV, both in the process of the test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from threadpoolctl import threadpool_limits

from tuning import Candidate, Dataset, Fit, Fold, FoldScore, Scorers, Workload
from tuning.fitting import run_fit
from tuning.learners.keeper import FoldKeeper
from tuning.plan import plan_fits
from tuning.spec.sweep_spec import EarlyStopping
from tuning.strategies import Proposal

Params = Mapping[str, Any]


def splits(
    estimator: Any,
    grid: Sequence[Params],
    data: Dataset,
    scorers: Sequence[str] = ("neg_log_loss",),
    workers: int = 1,
) -> tuple[NDArray[np.float64], dict[Candidate, str | None]]:
    """Our split scores by candidate, and what each shared, as a worker finds them."""
    table, scores = _scored(estimator, grid, data, scorers, workers)
    return table, {score.candidate: score.shared for score in scores}


def ours(
    estimator: Any, grid: Sequence[Params], data: Dataset, scorer: str = "neg_log_loss"
) -> tuple[NDArray[np.float64], set[str]]:
    """Our split scores by candidate, and all that any of their fits shared."""
    table, scores = _scored(estimator, grid, data, (scorer,), 1)
    return table, {score.shared for score in scores}


def _scored(
    estimator: Any, grid: Sequence[Params], data: Dataset, scorers: Sequence[str], workers: int
) -> tuple[NDArray[np.float64], list[FoldScore]]:
    work = _workload(estimator, data, scorers)
    candidates = [Candidate(params) for params in grid]
    fits = plan_fits(work, [Proposal(candidate) for candidate in candidates], workers)
    keeper = FoldKeeper(work)
    with threadpool_limits(1):
        scores = [score for fit in fits for score in run_fit(work, fit, keeper)]
    table = np.full((len(candidates), len(work.folds)), np.nan)
    for score in scores:
        assert score.error is None, score.error
        table[candidates.index(score.candidate), score.fold] = score.scores[scorers[0]]
    return table, scores


def curves(
    estimator: Any, data: Dataset, scorers: Sequence[str] | Scorers, patience: int
) -> list[Mapping[str, Sequence[float]]]:
    """Our scores after every round, by fold."""
    work = replace(_workload(estimator, data, scorers), early_stopping=EarlyStopping(patience=patience))
    keeper = FoldKeeper(work)
    with threadpool_limits(1):
        scores = [run_fit(work, Fit(fold.index, (Candidate({}),)), keeper)[0] for fold in work.folds]
    assert not any(score.error for score in scores), scores[0].error
    return [score.curves for score in scores if score.curves is not None]


def theirs(
    estimator: Any, grid: Sequence[Params], data: Dataset, scorer: str | Callable[..., float] = "neg_log_loss"
) -> NDArray[np.float64]:
    """GridSearchCV's split scores by candidate."""
    lists = [{name: [value] for name, value in params.items()} for params in grid]
    search = GridSearchCV(estimator, lists, scoring=scorer, cv=_splitter(data), refit=False, error_score="raise")
    weights = {} if data.sample_weight is None else {"sample_weight": data.sample_weight}
    with threadpool_limits(1):
        table = search.fit(data.X, data.labels, **weights).cv_results_
    found: NDArray[np.float64] = np.array([table[f"split{k}_test_score"] for k in range(3)]).T
    return found


def _workload(estimator: Any, data: Dataset, scorers: Sequence[str] | Scorers) -> Workload:
    pairs = _splitter(data).split(data.X, data.y)
    folds = tuple(Fold(place, train, test) for place, (train, test) in enumerate(pairs))
    chosen = scorers if isinstance(scorers, Scorers) else Scorers.named(*scorers)
    return Workload(estimator, chosen, data, folds)


def _splitter(data: Dataset) -> Any:
    return (KFold if data.classes is None else StratifiedKFold)(3, shuffle=True, random_state=0)
