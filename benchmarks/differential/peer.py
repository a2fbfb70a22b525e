"""The same sweep by GridSearchCV, written as a person would write it in a notebook."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import sklearn
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV, ParameterGrid
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from benchmarks.differential.cases import Case
from benchmarks.differential.drawing import load
from benchmarks.differential.parameters import MODEL, ROUNDS

Scores = Mapping[str, NDArray[np.float64]]
"""By scorer, of shape (n_candidates, n_folds); NaN where a fit or its scoring failed."""


@dataclass(frozen=True)
class Judged:
    """What a side has found.

    Attributes
    ----------
    scores : mapping of str to ndarray of shape (n_candidates, n_folds)
        By scorer, candidates in the order of ParameterGrid.
    rounds : sequence of int or None
        What early stopping chose for each candidate; empty without it.
    """

    scores: Scores
    rounds: Sequence[int | None]

    @property
    def has_winner(self) -> bool:
        """Whether the deciding scorer, which comes first, has judged a candidate on every fold."""
        decisive = next(iter(self.scores.values()))
        return bool(np.isfinite(decisive).all(axis=1).any())


def search(case: Case, folder: Path) -> Judged:
    """Judge the candidates of `case` by its files in `folder`."""
    X, beside = case.table.read(folder)
    columns = _columns(case, X)
    y = beside["y"].to_numpy()
    if case.family.task == "classes" and not case.family.own_labels:
        y = np.unique(y, return_inverse=True)[1]  # it learns from codes alone
    elif case.family.task != "classes":
        y = y.astype(np.float64)  # a metric of whole numbers and float32 predictions would count in float32
    weights = beside["w"].to_numpy() if "w" in beside else None
    splits = case.cv.splits(beside)

    def fit(grid: Any) -> GridSearchCV:
        return _fit(case, grid, columns, y, weights, splits)

    grids = [
        {name: [value.value for value in values] for name, values in grid.items()} for grid in case.parameters.grids
    ]
    return _stopped_early(case, grids[0], fit) if case.early_stopping else Judged(_scores(case, fit(grids)), [])


def _columns(case: Case, X: Any) -> Any:
    """Categories as the docs say that the estimator gets them: as they are, or a column of zeros and ones for each."""
    if case.table.features != "categories":
        return X
    text = [name for name in X.columns if not pd.api.types.is_numeric_dtype(X[name].dtype)]
    natively = case.steps[0].takes_categories if case.steps else "categories" in case.family.can
    if natively:
        return X.assign(**{name: X[name].astype(object).astype("category") for name in text})
    made: dict[str, Any] = {}
    for name in X.columns:
        if name in text:
            made |= {f"{name}={town}": (X[name] == town).astype(float) for town in sorted(X[name].unique())}
        else:
            made[name] = X[name].astype(float)
    return pd.DataFrame(made)


def _estimator(case: Case) -> Any:
    model = clone(case.model.value)
    if case.family.path.startswith("xgboost.") and case.table.features == "categories" and not case.steps:
        model.set_params(enable_categorical="categories" in case.family.can)
    if "n_jobs" in model.get_params() and not case.family.path.startswith("sklearn."):
        model.set_params(n_jobs=1)
    steps = [(step.name, step.make()) for step in case.steps]
    whole = _pipeline(case)([*steps, (MODEL, model)]) if steps else model
    return whole.set_params(**{name: value.value for name, value in case.parameters.fixed.items()})


def _pipeline(case: Case) -> Any:
    return load("imblearn.pipeline.Pipeline") if any(step.resamples for step in case.steps) else Pipeline


def _fit(case: Case, grid: Any, X: Any, y: Any, weights: Any, splits: Any) -> GridSearchCV:
    estimator = _estimator(case)
    given = {} if weights is None else {"sample_weight": weights}
    routed = bool(case.steps) and weights is not None  # weights in a pipeline's scores need scikit-learn's routing
    with sklearn.config_context(enable_metadata_routing=routed):
        scoring: Any = {name: get_scorer(name) for name in case.scorers}
        if routed:
            _request_weights(estimator, scoring)
            _request_no_weights(grid)
        if len(scoring) == 1:
            scoring = next(iter(scoring.values()))
        searched = GridSearchCV(estimator, grid, scoring=scoring, cv=splits, refit=False, n_jobs=1, error_score=np.nan)
        return searched.fit(X, y, **given)


def _request_weights(pipeline: Pipeline, scorers: dict[str, Any]) -> None:
    last = pipeline.steps[-1][1]
    if has_fit_parameter(last, "sample_weight") and not hasattr(last, "set_fit_request"):
        raise TypeError("weights do not reach the last step of this pipeline: the case has no answer")
    for name, step in pipeline.steps:
        if hasattr(step, "set_fit_request") and "sample_weight" in _asks(step):
            step.set_fit_request(sample_weight=name == MODEL)
    for name, scorer in scorers.items():
        if name not in ("max_error", "neg_max_error"):
            scorers[name] = scorer.set_score_request(sample_weight=True)


def _request_no_weights(grids: Sequence[Mapping[str, Any]]) -> None:
    """Do the same for steps to choose from: none of them is the last."""
    for value in (value for grid in grids for values in grid.values() for value in values):
        if hasattr(value, "set_fit_request") and "sample_weight" in _asks(value):
            value.set_fit_request(sample_weight=False)


def _asks(step: Any) -> Any:
    return step.get_metadata_routing().fit.requests


def _scores(case: Case, searched: GridSearchCV) -> Scores:
    """Give the scores of each candidate once: one that stands in two grids is fitted twice here, and once by us."""
    results, n_folds = searched.cv_results_, searched.n_splits_
    first = {repr(sorted(params.items())): row for row, params in reversed(list(enumerate(results["params"])))}
    rows = sorted(first.values())

    def of(scorer: str) -> NDArray[np.float64]:
        suffix = "score" if len(case.scorers) == 1 else scorer
        return np.array([results[f"split{fold}_test_{suffix}"] for fold in range(n_folds)], dtype=np.float64).T[rows]

    return {scorer: of(scorer) for scorer in case.scorers}


def _stopped_early(case: Case, grid: Mapping[str, Any], fit: Callable[[Any], GridSearchCV]) -> Judged:
    """Give each candidate its number of rounds as a grid over all of them would: the highest mean, fewest of equals."""
    rounds = f"{MODEL}__{ROUNDS}" if case.steps else ROUNDS
    most = range(1, case.parameters.fixed[rounds].value + 1)
    chosen: list[int] = []
    rows: dict[str, list[Any]] = {scorer: [] for scorer in case.scorers}
    refusals: list[ValueError] = []
    for candidate in ParameterGrid(grid):
        try:
            searched = fit([{rounds: list(most), **{name: [value] for name, value in candidate.items()}}])
        except ValueError as error:
            if not str(error).startswith("\nAll the"):
                raise
            refusals.append(error)  # of one candidate's rounds; in a search of all candidates others have scores
            chosen.append(1)
            for found in rows.values():
                found.append(None)
            continue
        scores = _scores(case, searched)
        means = scores[case.scorers[0]].mean(axis=1)
        best = int(np.argmax(means)) if np.isfinite(means).any() else 0
        chosen.append(best + 1)
        for scorer in case.scorers:
            rows[scorer].append(scores[scorer][best])
    if len(refusals) == len(chosen):
        raise refusals[0]
    n_folds = next(len(scores) for scores in rows[case.scorers[0]] if scores is not None)
    failed = np.full(n_folds, np.nan)
    return Judged(
        {
            scorer: np.array([failed if scores is None else scores for scores in found])
            for scorer, found in rows.items()
        },
        chosen,
    )
