"""The last thing that a sweep prints: what won, by how much, under which name it is registered, and where to look."""

from __future__ import annotations

from collections.abc import Mapping

from tracking.registry import RegisteredModel
from tuning import SweepResult
from tuning.results.comparison import compare
from tuning.results.statistics import LEVEL


def summary(result: SweepResult, holdout: Mapping[str, float], model: RegisteredModel | None, where: str) -> str:
    """Return the closing lines.

    Parameters
    ----------
    result : SweepResult
    holdout : mapping of str to float
        The refitted winner's score by scorer; empty where nothing was held out.
    model : RegisteredModel or None
        None where there is none to be had.
    where : str
        What opens the MLflow UI.
    """
    rows = [
        ("best", result.best.name),
        ("score", _score(result)),
        ("apart", _apart(result)),
        ("hold-out", ", ".join(f"{name} {value:.5f}" for name, value in holdout.items()) or "none"),
        ("model", f"{model.name} version {model.version}, alias {model.alias}" if model else "none"),
        ("look", where),
    ]
    if result.n_reused:
        rows.insert(0, ("reused", f"{result.n_reused:,} fits of earlier sweeps; {result.n_fits or 'none'} fitted now"))
    if result.failed:
        failed = f"{len(result.failed):,} of {len(result.candidates):,} candidates; their runs hold the errors"
        rows.insert(0, ("failed", failed))
    if done := result.verification.cells:
        largest = f"largest difference {result.verification.difference:g}"
        rows.insert(-2, ("verified", f"{done:,} fits repeated alone, {largest}"))
    if model and model.pickled_because:
        rows.insert(-1, ("", f"pickled, since {model.pickled_because}"))
    return "\n".join(f"{name:<8} {text}" for name, text in rows)


def _score(result: SweepResult) -> str:
    n_folds = result.split_scores().shape[1]
    return f"{result.refit_scorer} {result.best_score:.5f} ± {result.best_std:.5f} over {n_folds} folds"


def _apart(result: SweepResult) -> str:
    comparison = compare(result)
    others, near = len(comparison.differences), len(comparison.not_told_apart)
    if not others:
        return "no other candidate to compare it with"
    return f"distinguishable from {others - near:,} of the {others:,} others ({LEVEL:.0%}, compared fold by fold)"
