"""Outcomes of sweeps that were never run, written down by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tuning.candidates import Candidate
from tuning.results.fold_score import FoldScore
from tuning.results.sweep_result import SweepResult
from tuning.spec.sweep_spec import SweepSpec

SPEC = SweepSpec.model_validate(
    {
        "estimator": "xgboost.XGBClassifier",
        "fixed": {"objective": "multi:softprob"},
        "grid": {"n_estimators": [300, 400], "max_depth": [3, 4]},
        "scoring": "neg_log_loss",
        "cv": {"folds": 2},
    }
)


def outcome(spec: SweepSpec, scores: dict[tuple[Any, ...], Sequence[float | str]]) -> SweepResult:
    """Write down a sweep's outcome: for each candidate's values its score on each fold, or the error it met there."""
    fold_scores = {}
    for values, splits in scores.items():
        candidate = Candidate(dict(zip(spec.grid, values, strict=True)))
        fold_scores[candidate] = [_fold_score(candidate, k, split, spec) for k, split in enumerate(splits)]
    return SweepResult(
        list(fold_scores), fold_scores, spec.cv.folds, spec.scorers, spec.refit_scorer, n_units=0, seconds=1.0
    )


def _fold_score(candidate: Candidate, fold: int, split: float | str, spec: SweepSpec) -> FoldScore:
    if isinstance(split, str):
        return FoldScore(candidate, fold, error=split, fit_seconds=0.5)
    return FoldScore(candidate, fold, dict.fromkeys(spec.scorers, split), fit_seconds=1.0 + fold, score_seconds=0.25)
