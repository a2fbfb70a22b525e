"""What the winner's score is worth once the choice of the best has been taken out of it, in a sentence."""

from __future__ import annotations

from tuning.results.sweep_result import SweepResult


def corrected_words(result: SweepResult) -> list[str]:
    """Say what the winner's score is without what choosing it has added, or why that is not known."""
    found, why_not = result.corrected, result.uncorrected
    if found is None:
        return [f"The winner's score is not corrected for its choice: {why_not}."] if why_not else []
    score = f"{found.scorer} **{found.score:.5f}** (95%: {found.low:.5f} to {found.high:.5f})"
    return [f"Chosen so among {found.candidates:,}, a winner scores {score} on rows that had no part in the choice."]
