"""Which parameters a sweep has varied, and over which values: what reports and plots are about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tuning.candidates import Candidate


def varied(candidates: Iterable[Candidate]) -> dict[str, list[Any]]:
    """Return the distinct values of each parameter that has more than one: numbers sorted, others as they came.

    A candidate that lacks a parameter counts as None.
    """
    candidates = list(candidates)
    names = dict.fromkeys(name for candidate in candidates for name in candidate.params)
    values = {name: _distinct(candidate.params.get(name) for candidate in candidates) for name in names}
    return {name: found for name, found in values.items() if len(found) > 1}


def _distinct(values: Iterable[Any]) -> list[Any]:
    found = list({repr(value): value for value in values}.values())
    return sorted(found) if are_numbers(found) else found


def are_numbers(values: Iterable[Any]) -> bool:
    """Return whether all are numbers, truth values excepted."""
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
