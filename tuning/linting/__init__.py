"""What a sweep's result says about the search itself, as a linter does of code: a code, what was found, what to do.

Each check is a module here and a line in ``findings``; each code has its section in ``docs/findings.md``.
"""

from __future__ import annotations

from collections.abc import Mapping

from tuning.linting.edges import edges
from tuning.linting.effects import without_effect
from tuning.linting.finding import Finding
from tuning.linting.gaps import gaps
from tuning.linting.noise import noise
from tuning.results.sweep_result import SweepResult
from tuning.spec.sweep_spec import SweepSpec

__all__ = ["Finding", "findings"]


def findings(spec: SweepSpec, result: SweepResult, trained: Mapping[str, float] = {}) -> list[Finding]:
    """Look at a result that has a winner.

    Parameters
    ----------
    spec : SweepSpec
    result : SweepResult
    trained : mapping of str to float
        The refitted winner's score by scorer on the rows that it has learned from, where that is known.

    Returns
    -------
    list of Finding
        In the order of their codes.
    """
    idle = without_effect(result)
    return [
        *edges(spec, result, {name for found in idle for name in found.parameters}),
        *idle,
        *gaps(result, trained),
        *noise(result),
    ]
