"""All that the page of a sweep tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from report.differences import differences
from report.pictures import Drawn
from report.timeline import Span
from tuning.linting import Finding
from tuning.results.sweep_result import SweepResult
from tuning.spec.sweep_spec import SweepSpec


@dataclass(frozen=True, eq=False)
class Story:
    """A sweep from its question to how it is repeated.

    Attributes
    ----------
    title : str
        What was swept, in a few words.
    estimator : str
    spec : SweepSpec
    result : SweepResult
    verdict : str
        What the folds say about the winner, in Markdown.
    data : mapping of str to str
        Facts about the rows, by what they are.
    command : str
        Makes the sweep again.
    drawn : sequence of Drawn
    spans : sequence of Span
        When each fit ran; empty where nobody has watched.
    holdout : mapping of str to float
        The refitted winner's score by scorer on rows that no fold has seen; empty before the refit, or without any.
    trained : mapping of str to float
        The same on rows that it has learned from.
    audited : sequence of Finding
        What was found in the rows before the first fit.
    notes : sequence of str
        What a reader must know, such as that the winner could not be refitted.
    """

    title: str
    estimator: str
    spec: SweepSpec
    result: SweepResult
    verdict: str
    data: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
    drawn: Sequence[Drawn] = ()
    spans: Sequence[Span] = ()
    holdout: Mapping[str, float] = field(default_factory=dict)
    trained: Mapping[str, float] = field(default_factory=dict)
    audited: Sequence[Finding] = ()
    notes: Sequence[str] = ()

    @cached_property
    def table(self) -> pd.DataFrame:
        """Every candidate's standing and its distance to the winner, best first."""
        return differences(self.result)
