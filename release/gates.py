"""The gates: a file of rules, and what a challenger's figures come to under them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

import yaml12
from errors import GridfoldError, SpecError, first_complaint
from release.judging import Interval, Judged, gained

AUTO, LOG_LOSS = "auto", "log_loss"


class GateError(GridfoldError):
    """A challenger has not passed; nothing was changed."""


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Rows(_Rule):
    """How many rows the comparison takes."""

    minimum: int = Field(default=100, ge=1)


class Gain(_Rule):
    """How much better the challenger must be by the scorer, at the lower end of the interval."""

    minimum: float = 0.0
    confidence: float = Field(default=0.95, gt=0, lt=1)


class Limit(_Rule):
    """A figure that must not be larger."""

    maximum: float = Field(ge=0)


class Slices(_Rule):
    """Kinds of rows that must not fare worse by more than `tolerance`; without `by` brands and events, for devices."""

    by: tuple[str, ...] | None = None
    tolerance: float = Field(default=0.02, ge=0)
    minimum_rows: int = Field(default=50, ge=1)


class Rules(_Rule):
    """All gates; one that the file leaves out has its default, or, of the limits, is not there."""

    scorer: str | dict[str, Any] = AUTO
    rows: Rows = Rows()
    gain: Gain = Gain()
    calibration_error: Limit | None = None
    latency_ms: Limit | None = None
    size_mb: Limit | None = None
    slices: Slices = Slices()

    @classmethod
    def load(cls, path: str) -> Self:
        """Read a YAML file.

        Raises
        ------
        SpecError
            It is not there, or a key or value is wrong.
        """
        try:
            content = yaml12.load(Path(path)) or {}
            if not isinstance(content, Mapping):
                raise SpecError(f"{path}: expected a mapping of gates, got {yaml12.kind(content)}.")
            return cls.model_validate(content)
        except OSError as error:
            raise SpecError(
                f"{path}: cannot be read ({error.strerror}). Name a file of gates: -P gates=FILE."
            ) from error
        except yaml12.YamlError as error:
            raise SpecError(f"{path}: not YAML: {error}") from error
        except ValidationError as error:
            raise SpecError(f"{path}: {first_complaint(error.errors(), cls)}") from error


@dataclass(frozen=True)
class Figures:
    """What is known of a challenger, and of the champion where there is one.

    Attributes
    ----------
    challenger : Judged
    champion : Judged or None
        On the same rows, in the same order.
    slices : mapping of str to mapping of str to ndarray of shape (n_rows,), bool
        By what, then by which: the rows that belong there.
    limits : mapping of str to float
        ``calibration_error``, ``latency_ms``, ``size_mb``; not all of them for every model.
    scorer : str
        What judged them.
    subject : str
        What a row is.
    """

    challenger: Judged
    champion: Judged | None
    slices: Mapping[str, Mapping[str, NDArray[np.bool_]]]
    limits: Mapping[str, float]
    scorer: str = LOG_LOSS
    subject: str = "device"

    @property
    def n_rows(self) -> int:
        """How many rows they were judged on."""
        return self.challenger.n_rows

    def gain(self, confidence: float) -> Interval | None:
        """How much better the challenger is, with the interval of the paired bootstrap; None for a first champion."""
        return gained(self.challenger, self.champion, confidence) if self.champion and self.n_rows else None


@dataclass(frozen=True)
class Finding:
    """What one gate says.

    Attributes
    ----------
    gate : str
    value, limit : float
    at_least : bool
        Whether the limit is the smallest value that passes, or the largest.
    """

    gate: str
    value: float
    limit: float
    at_least: bool

    @property
    def passed(self) -> bool:
        """Whether the value is on the right side of the limit."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def sentence(self) -> str:
        """The value, the limit, and by how much it misses it."""
        kind = "minimum" if self.at_least else "maximum"
        if self.passed:
            return f"{self.gate}: {self.value:.5g} (the {kind} is {self.limit:.5g})"
        side = "below" if self.at_least else "above"
        return f"{self.gate}: {self.value:.5g} is {abs(self.value - self.limit):.3g} {side} the {kind} {self.limit:.5g}"


def findings(rules: Rules, figures: Figures) -> list[Finding]:
    """Hold `figures` against every gate; those on the gain are left out for a first champion, and without rows."""
    return list(_findings(rules, figures))


def _findings(rules: Rules, figures: Figures) -> Iterator[Finding]:
    yield Finding("rows", figures.n_rows, rules.rows.minimum, at_least=True)
    if gain := figures.gain(rules.gain.confidence):
        yield Finding("gain", gain.low, rules.gain.minimum, at_least=True)
    for name, value in figures.limits.items():
        limit: Limit | None = getattr(rules, name)
        if limit is not None:
            yield Finding(name, value, limit.maximum, at_least=False)
    if figures.champion is not None:
        yield from _slice_findings(rules.slices, figures.challenger, figures.champion, figures.slices)


def _slice_findings(
    rule: Slices, challenger: Judged, champion: Judged, slices: Mapping[str, Mapping[str, NDArray[np.bool_]]]
) -> Iterator[Finding]:
    for by in slices if rule.by is None else rule.by:
        for name, members in slices[by].items():
            if members.sum() < rule.minimum_rows:
                continue
            value = challenger.on(members) - champion.on(members)
            if np.isfinite(value):  # of one class alone, a scorer may have nothing to say
                yield Finding(f"gain where {by} is {name}", value, -rule.tolerance, at_least=True)


def check(found: list[Finding], what: str) -> None:
    """Refuse `what` unless every gate was passed.

    Raises
    ------
    GateError
        With a sentence for each gate that was not.
    """
    failed = [finding.sentence for finding in found if not finding.passed]
    if failed:
        gates = "gate" if len(failed) == 1 else f"{len(failed)} gates"
        raise GateError(f"{what} does not pass the {gates} {'; '.join(failed)}. Nothing was changed.")
