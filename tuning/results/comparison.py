"""Is the winner better than the others, or only luckier on these folds.

Scores of one candidate differ between folds mostly because some folds are harder than others, for all candidates alike.
So candidates are compared fold by fold: a grid whose means lie 0.006 apart may have a clear winner though each score
swings by 0.04 from fold to fold, and may as well have none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from tuning.candidates import Candidate
from tuning.results.statistics import Difference, paired_difference, simplest_within, standard_error
from tuning.results.sweep_result import SweepResult


@dataclass(frozen=True)
class Comparison:
    """The winner beside every other candidate that was judged in full.

    Attributes
    ----------
    differences : mapping of Candidate to Difference
        How much better the winner scores, with Nadeau and Bengio's corrected 95 % interval.
    simplest : Candidate
        The smallest model within one standard error of the winner; the winner itself where none is.
    """

    differences: Mapping[Candidate, Difference]
    simplest: Candidate

    @property
    def not_told_apart(self) -> list[Candidate]:
        """Candidates whose difference to the winner may be zero."""
        return [candidate for candidate, difference in self.differences.items() if not difference.is_clear]


def compare(result: SweepResult) -> Comparison:
    """Hold the winner of `result` against the others.

    Parameters
    ----------
    result : SweepResult
        With a winner.
    """
    splits = result.split_scores()
    left_out = {*result.failed, *result.stopped}
    full = [place for place, candidate in enumerate(result.candidates) if candidate not in left_out]
    best = splits[result.best_index].tolist()
    test_share = result.test_share or 1 / max(1, result.n_folds - 1)
    differences = {
        result.candidates[place]: paired_difference(best, splits[place].tolist(), test_share)
        for place in full
        if place != result.best_index and not math.isnan(splits[place].sum())
    }
    if not result.sizes:
        return Comparison(differences, result.best)
    means = [math.nan] * len(splits)
    for place in full:
        means[place] = float(splits[place].mean())
    yardstick = standard_error(splits[result.top_index].tolist())
    choice = simplest_within(means, yardstick, result.rule.order(result.candidates, result.sizes))
    return Comparison(differences, result.candidates[choice])
