"""GF104: the winner's lead is smaller than what a seed changes, so another seed may well choose another winner."""

from __future__ import annotations

from tuning.linting.finding import Finding
from tuning.results.comparison import compare
from tuning.results.sweep_result import SweepResult

CODE = "GF104"


def noise(result: SweepResult) -> list[Finding]:
    """Compare the lead over the next candidate with twice the spread over seeds, where the spec has asked for some."""
    differences = compare(result).differences
    if not result.seed_means or not differences:
        return []
    lead = min(difference.mean for difference in differences.values())
    if lead >= 2 * result.seed_std:
        return []
    return [
        Finding(
            CODE,
            f"The winner leads by {lead:.2g}, and its own score changes by ±{result.seed_std:.2g} with the seed"
            f" ({len(result.seed_means)} others tried)",
            "Take the simplest or the cheapest of the leading candidates, or judge them on repeated folds"
            " (`cv: {repeats: 3}`)",
        )
    ]
