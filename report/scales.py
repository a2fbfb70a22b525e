"""How the values of a parameter lie on an axis: numbers by their size or its logarithm, all else in places of its own.

A parameter may have both, ``max_depth: [3, 6, null]``: every value is kept, the words to the right of the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator

from report.style import PALE, shortened
from tuning.results.sweep_result import SweepResult
from tuning.results.varied import are_numbers, varied
from tuning.spec.objects import describe
from tuning.spec.sweep_spec import SweepSpec

_FEW = 8
_CLOSEST = 0.075  # ticks, of the width of the axis
_LABEL_LENGTH = 14
_LABELS_ABREAST = 40  # characters
_TWO_DECADES = 100
_GEOMETRIC_SPAN = 8  # of the largest value over the smallest


@dataclass(frozen=True, eq=False)
class Scale:
    """The axis of one parameter.

    Attributes
    ----------
    name : str
    values : sequence
        The different ones that were tried: numbers sorted, then the others.
    log : bool
        Whether numbers lie by their logarithm.
    """

    name: str
    values: Sequence[Any]
    log: bool

    @cached_property
    def numbers(self) -> list[float]:
        """Those that have a size."""
        return sorted(float(value) for value in self.values if are_numbers([value]) and math.isfinite(value))

    @cached_property
    def words(self) -> list[Any]:
        """Those that have none."""
        return [value for value in self.values if not (are_numbers([value]) and math.isfinite(value))]

    @cached_property
    def is_continuous(self) -> bool:
        """Whether there are too many numbers to name each."""
        return len(self.numbers) > 12

    def place(self, value: Any) -> float:
        """Return where `value` lies: numbers from 0 to 1, words beyond."""
        word = self._word(value)
        return self._of_number(float(value)) if word is None else self._first_word + self._step * word

    def ticks(self) -> list[tuple[float, str]]:
        """Return what to write at which places."""
        numbers = [(self._of_number(number), _number(number)) for number in self._ticks()]
        return [*numbers, *((self.place(word), label_of(word)) for word in self.words)]

    def draw_ticks(self, axes: Axes) -> None:
        """Label the axis below `axes`."""
        ticks = self.ticks()
        axes.set_xticks([at for at, _ in ticks], [text for _, text in ticks])
        axes.set_xlim(-0.06 if self.numbers else -0.5 * self._step, self._end)
        if self.numbers and self.words:
            axes.axvline(1 + 0.5 * (self._first_word - 1), color=PALE, lw=1.2)
        if len(ticks) * max((len(text) for _, text in ticks), default=0) > _LABELS_ABREAST:
            axes.tick_params(axis="x", rotation=40)
            plotted: Any = axes.get_xticklabels()
            for label in plotted:
                label.set_ha("right")
        axes.set_xlabel(shortened(self.name, 34) + (" (log scale)" if self.log and len(self.numbers) > 2 else ""))

    def _word(self, value: Any) -> int | None:
        return next((place for place, word in enumerate(self.words) if repr(word) == repr(value)), None)

    @property
    def _step(self) -> float:
        """Room for a word."""
        return 0.25 if len(self.words) < 4 else 0.14

    @property
    def _first_word(self) -> float:
        return 1 + self._step if self.numbers else 0.0

    @property
    def _end(self) -> float:
        if not self.words:
            return 1.06
        return self._first_word + self._step * (len(self.words) - 0.5)

    def _of_number(self, number: float) -> float:
        low, high = self._size(self.numbers[0]), self._size(self.numbers[-1])
        return 0.5 if high == low else (self._size(number) - low) / (high - low)

    def _size(self, number: float) -> float:
        return math.log10(number) if self.log else number

    def _ticks(self) -> list[float]:
        """Return the values themselves where they are few, else round numbers; none too close to the one before."""
        if not self.numbers:
            return []
        low, high = self.numbers[0], self.numbers[-1]
        if len(self.numbers) <= _FEW or high == low:
            wanted = self.numbers
        elif self.log:
            between = (1.0,) if high / low > _TWO_DECADES else (1.0, 2.0, 5.0)
            wanted = [float(tick) for tick in LogLocator(subs=between).tick_values(low, high)]
        else:
            wanted = [float(tick) for tick in MaxNLocator(5).tick_values(low, high)]
        kept: list[float] = []
        for tick in wanted:
            if low <= tick <= high and (not kept or self._of_number(tick) - self._of_number(kept[-1]) >= _CLOSEST):
                kept.append(tick)
        return kept


def scales(result: SweepResult, spec: SweepSpec | None = None) -> dict[str, Scale]:
    """Return the axis of each parameter that was varied."""
    drawn = spec.distributions if spec else {}
    found = {}
    for name, values in varied(result.candidates).items():
        numbers = [float(value) for value in values if are_numbers([value])]
        words = [value for value in values if not are_numbers([value])]
        asked = name in drawn and drawn[name].kind in ("loguniform", "uniform", "integers")
        log = drawn[name].kind == "loguniform" if asked else is_geometric(numbers)
        found[name] = Scale(name, [*sorted(v for v in values if are_numbers([v])), *words], log)
    return found


def is_geometric(numbers: Sequence[float]) -> bool:
    """Return whether numbers that a person has listed grow by factors rather than by steps."""
    ordered = np.array(sorted(set(numbers)))
    if len(ordered) < 3 or ordered[0] <= 0 or ordered[-1] / ordered[0] < _GEOMETRIC_SPAN:
        return False
    steps, factors = np.diff(ordered), np.diff(np.log(ordered))
    return bool(factors.std() / factors.mean() < steps.std() / steps.mean())


def label_of(value: Any) -> str:
    """Return a value as an axis names it."""
    return _number(value) if isinstance(value, float) else shortened(describe(value), _LABEL_LENGTH)


def as_columns(result: SweepResult, names: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the value that each candidate has of each parameter, as text where it is no number."""
    return {
        name: [
            value if isinstance(value := candidate.params.get(name), int | float) else describe(value)
            for candidate in result.candidates
        ]
        for name in names
    }


def _number(number: float) -> str:
    return f"{number:.4g}"
