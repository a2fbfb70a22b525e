"""Learning curves as they are shown: the mean over the folds, thinned to what an eye can follow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tuning.results.fold_score import FoldScore

MOST_STEPS = 200


def fold_curves(scores: Sequence[FoldScore], scorer: str) -> list[Sequence[float]]:
    """Return the test scores after each round of those folds that have them."""
    return [score.curves[scorer] for score in scores if scorer in score.curves]


def mean_curve(scores: Sequence[FoldScore], scorer: str) -> list[float]:
    """Return the mean over the folds after each round, as far as all have come; empty where there is none."""
    curves = fold_curves(scores, scorer)
    shortest = min(map(len, curves), default=0)
    return [float(mean) for mean in np.mean([curve[:shortest] for curve in curves], axis=0)] if shortest else []


def steps(length: int, kept: int | None = None, most: int = MOST_STEPS) -> list[int]:
    """Return at most so many of the rounds 1 to `length`, evenly spread, the first, the last and `kept` among them."""
    if length <= most:
        return list(range(1, length + 1))
    spread = np.unique(np.linspace(1, length, most - 1).round().astype(int)).tolist()
    return sorted({*spread, kept or length})
