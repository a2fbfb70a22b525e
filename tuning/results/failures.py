"""Why candidates failed, in the few messages that explain all of them.

A message that differs in its numbers alone (a column, a row, an address in memory) is the same reason, shown by the
words in which it came first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tuning.candidates import Candidate
from tuning.results.fold_score import FoldScore
from tuning.results.sweep_result import SweepResult

_NUMBERS = re.compile(r"0x[0-9a-f]+|\d+(?:[.,]\d+)*(?:e[+-]?\d+)?", re.IGNORECASE)


@dataclass(frozen=True)
class Reason:
    """One message.

    Attributes
    ----------
    text : str
        As an estimator or a scorer said it first.
    candidates : tuple of Candidate
        Whom it befell, in the order in which they failed; a candidate counts by its first failure.
    """

    text: str
    candidates: tuple[Candidate, ...]

    def __str__(self) -> str:
        """Return the message and how many it befell."""
        return f"{self.text} ({len(self.candidates):,} candidate{'s' if len(self.candidates) > 1 else ''})"


class Failures:
    """Gathers failures as they come."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._candidates: dict[str, list[Candidate]] = {}
        self._failed: set[Candidate] = set()

    def add(self, scores: Iterable[FoldScore]) -> None:
        """Take in the errors among `scores`."""
        for score in scores:
            if score.error is None or score.candidate in self._failed:
                continue
            kind = _NUMBERS.sub("#", score.error)
            self._failed.add(score.candidate)
            self._texts.setdefault(kind, score.error)
            self._candidates.setdefault(kind, []).append(score.candidate)

    def __len__(self) -> int:
        """Return how many candidates have failed."""
        return len(self._failed)

    def reasons(self) -> list[Reason]:
        """Return the messages, the commonest first."""
        reasons = [Reason(text, tuple(self._candidates[kind])) for kind, text in self._texts.items()]
        return sorted(reasons, key=lambda reason: -len(reason.candidates))


def reasons(result: SweepResult) -> list[Reason]:
    """Return why candidates of `result` failed, the commonest reason first."""
    failures = Failures()
    for candidate in result.candidates:
        failures.add(result.fold_scores[candidate])
    return failures.reasons()
