"""Where each candidate stands, in one frame that all pictures and the page begin with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from tuning.results.fold_score import FoldScore
from tuning.results.sweep_result import SweepResult

WINNER, JUDGED, STOPPED, FAILED = "winner", "judged", "stopped", "failed"


def standing(result: SweepResult) -> pd.DataFrame:
    """Return a row per candidate, in order of proposal.

    Returns
    -------
    DataFrame
        ``number`` (from 1), ``candidate`` (its short name), ``status``, ``mean`` (over the folds that it had; of a
        failed one NaN), ``folds`` and ``share`` (how far it was judged) and ``seconds`` (mean time of a fold).
    """
    failed, stopped = set(result.failed), set(result.stopped)
    status = [FAILED if c in failed else STOPPED if c in stopped else JUDGED for c in result.candidates]
    status[result.best_index] = WINNER
    folds = [result.fold_scores[candidate] for candidate in result.candidates]
    return pd.DataFrame(
        {
            "number": np.arange(1, len(status) + 1),
            "candidate": [candidate.name for candidate in result.candidates],
            "status": status,
            "mean": result.means(),
            "folds": [len(scores) for scores in folds],
            "share": [max((score.share for score in scores), default=0.0) for scores in folds],
            "seconds": [_mean_seconds(scores) for scores in folds],
        }
    )


def rows_of(frame: pd.DataFrame) -> list[Any]:
    """Return the rows with their columns as attributes, and their label as ``Index``."""
    return list(frame.itertuples())


def _mean_seconds(scores: Sequence[FoldScore]) -> float:
    times = [score.fit_seconds + score.score_seconds for score in scores]
    return float(np.mean(times)) if times else float("nan")


def lower_limit(means: pd.Series) -> float:
    """Return the score below which a picture cuts off: a few hopeless candidates would press all others together.

    Tukey's fence, three times the distance between the quartiles below the lower one.
    """
    known = means.dropna()
    low, high = known.quantile([0.25, 0.75])
    fence = float(low - 3 * (high - low))
    above = known[known >= fence]
    return float(above.min()) if len(above) else float(known.min())
