"""GF103: the winner is far better on rows that it has learned from than on others: it may overfit.

Some models always are, forests above all, and are none the worse for it. So the gap is measured by what the sweep has
moved: one that is wider than the whole range of scores says that what was varied is not what holds the model back.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tuning.linting.finding import Finding
from tuning.results.judged import full_means
from tuning.results.sweep_result import SweepResult

CODE = "GF103"
_STANDARD_DEVIATIONS = 3


def gaps(result: SweepResult, trained: Mapping[str, float]) -> list[Finding]:
    """Compare the winner's score on its training rows, `trained` by scorer, with that over the folds."""
    learned = trained.get(result.refit_scorer)
    if learned is None:
        return []
    means = full_means(result)
    gap = learned - result.best_score
    if gap <= max(float(np.nanmax(means) - np.nanmin(means)), _STANDARD_DEVIATIONS * result.best_std):
        return []
    return [
        Finding(
            CODE,
            f"The winner scores {learned:.5g} on the rows that it has learned from and {result.best_score:.5g} on"
            " others, a gap wider than the whole range of the sweep's scores: it may overfit",
            "Vary what holds it back: more regularisation, smaller or fewer trees, more rows or fewer columns",
        )
    ]
