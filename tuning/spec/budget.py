"""What a sweep may cost."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from tuning.spec.messages import problem
from tuning.spec.part import SpecPart

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def _amount(text: Any, units: dict[str, float] | dict[str, int], example: str) -> float:
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", str(text))
    unit = match.group(2) if match else ""
    if match is None or isinstance(text, bool) or (unit and unit not in units):
        raise problem(f"expected a number with a unit ({', '.join(units)}), such as {example}, got {text!r}")
    amount = float(match.group(1)) * units.get(unit, 1)
    if amount <= 0:
        raise problem(f"expected more than nothing, got {text!r}")
    return amount


Seconds = Annotated[float, BeforeValidator(lambda text: _amount(text, _SECONDS, "30m"))]
Bytes = Annotated[float, BeforeValidator(lambda text: _amount(text, _BYTES, "8GB"))]


class Budget(SpecPart):
    """Limits of a sweep; None where there is none.

    Attributes
    ----------
    max_time : float or None
        Seconds, written ``90``, ``30m`` or ``2h``. No fit is started after it; fits that run then are finished, unless
        they take much longer than any before.
    max_fit_time : float or None
        Seconds, written likewise, that one candidate may take on one fold; it fails if it takes longer.
    max_candidates : int or None
        The most to try; of a larger grid, a sample drawn with the search's seed.
    max_memory : float or None
        Bytes, written ``8GB`` or ``512MiB``. Fewer fits run side by side where more would not fit.
    cores : int or None
        Cores to use, where not all of them.
    """

    max_time: Seconds | None = None
    max_fit_time: Seconds | None = None
    max_candidates: int | None = Field(default=None, ge=1, strict=True)
    max_memory: Bytes | None = None
    cores: int | None = Field(default=None, ge=1, strict=True)
