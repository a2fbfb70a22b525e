"""All pictures of a sweep: which apply, and what remains of those that were drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from report import differences, effects, importance, pairs, rounds, tradeoffs, winner
from report.picture import Picture
from report.winner import Predicted
from tuning.results.sweep_result import SweepResult
from tuning.spec.sweep_spec import SweepSpec

Maker = Callable[[], Picture | None]


@dataclass(frozen=True)
class Drawn:
    """A picture as a page shows it.

    Attributes
    ----------
    name, question, caption : str
        As in `Picture`.
    svg : str
    """

    name: str
    question: str
    caption: str
    svg: str


@dataclass
class Album:
    """The pictures of one sweep, as far as they have been drawn.

    Attributes
    ----------
    drawn : list of Drawn
    failed : dict of str to Exception
        By name, what kept a picture from being drawn: it takes none of the others away.
    """

    drawn: list[Drawn] = field(default_factory=list)
    failed: dict[str, Exception] = field(default_factory=dict)

    def add_result(self, result: SweepResult, spec: SweepSpec | None, folder: Path) -> None:
        """Draw into `folder` what a result shows by itself, whichever pictures apply to it."""
        self._add(
            {
                "candidates": lambda: differences.picture(result),
                "parameters": lambda: effects.picture(result, spec),
                "pairs": lambda: pairs.picture(result, spec),
                "importance": lambda: importance.picture(result, spec),
                "rounds": lambda: rounds.picture(result),
                "time": lambda: tradeoffs.time_and_score(result),
                "scorers": lambda: tradeoffs.scorers(result),
            },
            folder,
        )

    def add_winner(self, predicted: Predicted | None, weights: pd.DataFrame | None, folder: Path) -> None:
        """Draw into `folder` what the refitted winner shows."""
        made: dict[str, Maker] = {}
        if predicted is not None:
            made |= {
                "confusion": lambda: winner.confusion(predicted),
                "reliability": lambda: winner.reliability(predicted),
            }
        if weights is not None:
            made["features"] = lambda: winner.features(weights)
        self._add(made, folder)

    def _add(self, makers: dict[str, Maker], folder: Path) -> None:
        for name, make in makers.items():
            try:
                picture = make()
                if picture is not None:
                    svg = picture.save(folder)
                    self.drawn.append(Drawn(picture.name, picture.question, picture.caption, svg))
            except Exception as error:  # whatever it is, the other pictures outlive it
                self.failed[name] = error
