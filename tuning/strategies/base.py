"""The contract of a strategy: which candidates next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tuning.candidates import Candidate
from tuning.results import FoldScore


class Strategy(Protocol):
    """Proposes candidates and learns from their scores.

    Ask
        Returns the candidates to try next, all that can be named without hearing more: the larger the batch, the
        more prefixes are shared. An empty sequence means that there is nothing to propose until more is told, or,
        where all that was proposed has been told, that the search is over.
    Tell
        Called once per finished unit of work, in the order in which work ends. A strategy whose proposals depend
        on scores must not depend on that order, so that a seed repeats a sweep whatever the number of workers.
    Size
        ``n_candidates`` is how many will be proposed in all, or None where that is not known beforehand.
    """

    n_candidates: int | None

    def ask(self) -> Sequence[Candidate]:
        """Candidates to try next."""

    def tell(self, scores: Sequence[FoldScore]) -> None:
        """These fits have ended."""
