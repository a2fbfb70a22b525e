"""The best candidate that is quick and small enough: refitted, measured, and the next one if it is not.

How long a model takes for one row and how large its files are is known when it is there, so candidates are refitted in
the order of preference until one is within the limits. One that a learner knows to be no smaller than one that was too
large or too slow is passed over without a fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from entrypoints.choosing.kept_sweep import Fetched
from entrypoints.results.outcome import fitted_model
from entrypoints.terminal.results import Row
from entrypoints.terminal.tally import number
from errors import SpecError
from tracking.measured import Measured, measure
from tuning import Candidate, SweepResult
from tuning.spec.refit import RefitSpec
from tuning.spec.scoring import Metric

MOST = 20
"""Candidates that are refitted before it is said that none is within the limits."""


@dataclass(frozen=True)
class Limits:
    """What a model may take.

    Attributes
    ----------
    latency_ms, size_mb : float
        For one row, and of its files; 0 for any.
    """

    latency_ms: float
    size_mb: float

    def __bool__(self) -> bool:
        return bool(self.latency_ms or self.size_mb)

    def allow(self, found: Measured) -> bool:
        """Whether a model is within them."""
        slow = self.latency_ms and found.latency_ms > self.latency_ms
        large = self.size_mb and found.size_mb > self.size_mb
        return not (slow or large)


def within_limits(
    swept: Fetched, metric: Metric, rule: RefitSpec, limits: Limits, cores: int
) -> tuple[SweepResult, Any, list[Row], dict[str, float]]:
    """Choose by a scorer and a rule among the candidates within `limits`.

    Returns
    -------
    result : SweepResult
        Of those that took part, the winner of which is the choice.
    model : object
        Refitted.
    said : list of Row
    metrics : dict of str to float

    Raises
    ------
    SpecError
        None is within the limits.
    """
    passed_over: dict[Candidate, str] = {}
    nearest = ""
    n_measured = 0
    while n_measured < MOST:
        result = swept.candidates.by(metric, rule, passed_over)
        if not result.candidates:
            break
        model = swept.refit(result, cores)
        if not limits:
            return result, model, [], {}
        found = measure(fitted_model(model, swept.rows))
        n_measured += 1
        words = f"{number(found.latency_ms)} ms for a row, {number(found.size_mb)} MB"
        if limits.allow(found):
            said = [("takes", words)]
            if passed_over:
                said.append(("passed", f"over {len(passed_over):,} that are slower or larger than they may be"))
            return result, model, said, {"latency_ms": found.latency_ms, "size_mb": found.size_mb}
        nearest = nearest or f"{result.best.name} takes {words}"
        passed_over |= dict.fromkeys(_no_smaller(result), words)
    raise SpecError(
        f"none of {len(passed_over):,} candidates is within the limits; the best of them, {nearest}. Raise "
        "-P max_latency_ms or -P max_size_mb."
    )


def _no_smaller(result: SweepResult) -> list[Candidate]:
    """Return the winner, and whoever is known to become as large a model."""
    size = result.sizes[result.best_index]
    if size is None:
        return [result.best]
    return [each for each, its in zip(result.candidates, result.sizes, strict=True) if its is not None and its >= size]
