"""Which candidates may be compared with each other: those that were judged on every fold in full."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tuning.results.sweep_result import SweepResult


def full_means(result: SweepResult) -> NDArray[np.float64]:
    """Return the mean score of each candidate, shape (n_candidates,); NaN where it failed or was stopped early.

    The mean of two folds, or of a tenth of the rows, does not compare with that of all.
    """
    left_out = {*result.failed, *result.stopped}
    return np.array(
        [np.nan if c in left_out else mean for c, mean in zip(result.candidates, result.means(), strict=True)]
    )


def best_first(means: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the places of the candidates that have a mean, highest first, equals in order of proposal."""
    return np.argsort(-means, kind="stable")[: np.count_nonzero(~np.isnan(means))]


def left_out_words(result: SweepResult) -> str:
    """Say in a few words which candidates are missing from a comparison; nothing where none is."""
    words = [
        f"{len(result.failed):,} failed" * bool(result.failed),
        f"{len(result.stopped):,} stopped early" * bool(result.stopped),
    ]
    return ", ".join(filter(None, words))
