"""Results of sweeps that were never run, with known truths: what a picture must show is known beforehand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tuning.candidates import Candidate
from tuning.results.fold_score import FoldScore
from tuning.results.sweep_result import SweepResult
from tuning.spec.sweep_spec import SweepSpec

Score = Callable[[Mapping[str, Any]], float]


def spec(scoring: Any = "neg_log_loss", **asked: Any) -> SweepSpec:
    """A spec that is well-formed; what it names is not looked at."""
    whole = {"estimator": "xgboost.XGBClassifier", "grid": {"max_depth": [3]}, "scoring": scoring, "cv": {"folds": 5}}
    return SweepSpec.model_validate({**whole, **asked})


def swept(
    settings: Sequence[Mapping[str, Any]],
    score: Score,
    noise: float = 0.01,
    n_folds: int = 5,
    stopped: Mapping[int, int] | None = None,
    failed: Mapping[int, str] | None = None,
    scorers: Sequence[str] = ("neg_log_loss",),
) -> SweepResult:
    """A result in which each candidate's score is `score` of its parameters and some noise, folds of unequal hardness.

    `stopped` gives the number of folds of those that had fewer, `failed` the error of those that failed, by place.
    """
    draw = np.random.default_rng(0)
    hardness = draw.normal(0, 10 * noise, n_folds)
    outcomes = {}
    for place, params in enumerate(settings):
        candidate = Candidate(params)
        error = (failed or {}).get(place)
        folds = []
        for fold in range((stopped or {}).get(place, n_folds)):
            value = score(params) + hardness[fold] + draw.normal(0, noise)
            scores = {} if error else {name: value * (1 + 0.5 * rank) for rank, name in enumerate(scorers)}
            seconds = float(draw.gamma(2, 1)) * (1 + place % 7)
            folds.append(FoldScore(candidate, fold, scores, seconds, 0.1, error, shared=f"rounds of {place % 3}"))
        outcomes[candidate] = folds
    return SweepResult(list(outcomes), outcomes, n_folds, scorers, scorers[0], n_units=len(settings), seconds=12.5)
