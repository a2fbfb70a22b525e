"""GF102: a parameter without effect, which multiplies the candidates and decides nothing.

Judged where it can be judged exactly: among candidates that differ in that parameter alone.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from tuning.candidates import as_json
from tuning.linting.finding import Finding
from tuning.results.judged import full_means
from tuning.results.sweep_result import SweepResult
from tuning.results.varied import varied

CODE = "GF102"
SHARE = 0.02
"""Of the whole sweep's range of scores: what moves a score by less decides nothing."""


def without_effect(result: SweepResult) -> list[Finding]:
    """Find the parameters whose values change no score by more than a fiftieth of the sweep's range."""
    means = full_means(result)
    if np.isnan(means).all():
        return []
    whole = float(np.nanmax(means) - np.nanmin(means))
    idle = {name: moved for name in varied(result.candidates) if (moved := _moves(result, means, name)) is not None}
    idle = {name: moved for name, moved in idle.items() if moved <= SHARE * whole}
    return [
        Finding(
            CODE,
            f"`{name}` has no effect: candidates that differ in nothing else score the same to within {moved:.2g},"
            f" of a range of {whole:.2g}",
            f"Leave it at `{result.best.params.get(name)}`, and try something else with the fits that this saves",
            parameters=(name,),
        )
        for name, moved in idle.items()
    ]


def _moves(result: SweepResult, means: np.ndarray, name: str) -> float | None:
    """Return the most by which values of `name` change a score; None where no two candidates differ in it alone."""
    alike = defaultdict(list)
    for candidate, mean in zip(result.candidates, means, strict=True):
        if name in candidate.params and not np.isnan(mean):
            rest = {other: value for other, value in candidate.params.items() if other != name}
            alike[as_json(rest)].append(mean)
    ranges = [max(group) - min(group) for group in alike.values() if len(group) > 1]
    return max(ranges, default=None)
