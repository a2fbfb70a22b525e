"""In words: how many others the winner is shown to beat, and is there a simpler model that is as good.

One sentence a person can act on, with the figures behind it; ``tuning.results.comparison`` says where they come from.
"""

from __future__ import annotations

from typing import Any

from tuning.results.comparison import Comparison, compare
from tuning.results.statistics import LEVEL
from tuning.results.sweep_result import SweepResult


def verdict(result: SweepResult) -> str:
    """Return what the folds say about the winner, in Markdown: one paragraph, or two where a simpler model will do."""
    comparison = compare(result)
    if not comparison.differences:
        return "There is no other candidate to compare it with."
    return "\n\n".join(filter(None, [_told_apart(result, comparison), _simpler(result, comparison)]))


def beaten(result: SweepResult) -> str:
    """Return the same in a few words, to follow "the winner is"; empty where there is no other candidate."""
    comparison = compare(result)
    others, near = len(comparison.differences), len(comparison.not_told_apart)
    if not others:
        return ""
    which = "the only other" if others == 1 else f"any of {others:,} others" if near else f"all {others:,} others"
    if 0 < near < others:
        which = f"{others - near:,} of {others:,} others"
    shown = "not shown to be better" if near == others else "better"
    return f"{shown} than {which} ({LEVEL:.0%} paired interval)"


def difference_columns(result: SweepResult) -> dict[str, list[Any]]:
    """Return columns for the table of candidates: how much better the winner is, and the ends of the interval."""
    differences = compare(result).differences
    rows = [differences.get(candidate) for candidate in result.candidates]
    return {
        "best_minus_this": [row.mean if row else None for row in rows],
        "best_minus_this_low": [row.low if row else None for row in rows],
        "best_minus_this_high": [row.high if row else None for row in rows],
    }


def _told_apart(result: SweepResult, comparison: Comparison) -> str:
    others, near = len(comparison.differences), len(comparison.not_told_apart)
    runner_up = min(comparison.differences.values(), key=lambda difference: difference.mean)
    interval = f"{runner_up.mean:.5f}, {LEVEL:.0%} interval {runner_up.low:.5f} to {runner_up.high:.5f}"
    said = (
        f"It is **not shown to be better** than {_how_many(near, others)}" if near else "It is better than all others"
    )
    spread = f"the spread of ±{result.best_std:.5f} is between folds, and shared by all candidates"
    return f"{said} (the next is behind by {interval}; compared fold by fold, as {spread})."


def _how_many(near: int, others: int) -> str:
    if near < others:
        return f"{near:,} of the {others:,} others"
    return "the only other candidate" if others == 1 else f"any of the {others:,} others"


def _simpler(result: SweepResult, comparison: Comparison) -> str:
    if comparison.simplest == result.best:
        return ""
    place = list(result.candidates).index(comparison.simplest)
    mean = float(result.split_scores()[place].mean())
    return f"**Simplest within one standard error** `{comparison.simplest.name}`: {mean:.5f}."
