"""The contract of a strategy: which candidates next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from tuning.candidates import Candidate
from tuning.results.fold_score import FoldScore
from tuning.spec.part import SpecPart
from tuning.spec.space import Space


@dataclass(frozen=True)
class Proposal:
    """A candidate, and on what it is to be tried.

    Attributes
    ----------
    candidate : Candidate
    folds : tuple of int or None
        None for every fold.
    rows : float
        Share of each fold's training rows, in (0, 1].
    rounds : float
        Share of the candidate's own ``n_estimators``, in (0, 1].
    """

    candidate: Candidate
    folds: tuple[int, ...] | None = None
    rows: float = 1.0
    rounds: float = 1.0


class Options(SpecPart):
    """What a strategy can be told under ``search``, beside its name."""


@dataclass(frozen=True)
class Setting:
    """What a strategy may need to know of the sweep.

    Attributes
    ----------
    n_folds : int
    scorer : str
        The one that chooses the winner; greater is better.
    test_share : float
        Rows that a fold tests on over rows that it trains on.
    max_candidates : int or None
        The budget.
    """

    n_folds: int
    scorer: str
    test_share: float
    max_candidates: int | None = None

    def limited(self, n_candidates: int) -> int:
        """`n_candidates`, or the budget where that is less."""
        return min(n_candidates, self.max_candidates or n_candidates)


class Strategy(Protocol):
    """Proposes candidates and learns from their scores.

    Make
        ``Strategy(space, options, setting)``, where `options` is an instance of the class's own ``Options``. Raises
        SpecError, beginning with the key, where the space and the strategy do not go together.
    Ask
        Returns what to try next, all that can be named without hearing more: the larger the batch, the more prefixes
        are shared. An empty sequence means that there is nothing to propose until more is told, or, where all that
        was proposed has been told, that the search is over. A candidate may be proposed again, on other folds or on
        a larger share; what it scored on the largest share counts.
    Tell
        Called once per finished unit of work, in the order in which work ends. Proposals must not depend on that
        order, so that a seed repeats a sweep whatever the number of workers.
    Size
        ``n_candidates`` is how many will be proposed in all, or None where that is not known beforehand.
    Exactness
        ``approximation`` is None where every candidate is judged on every fold in full, else one sentence for the
        spec's reader, the run and the report: what is given up.
    """

    Options: ClassVar[type]
    approximation: ClassVar[str | None]
    n_candidates: int | None

    def __init__(self, space: Space, options: Any, setting: Setting) -> None: ...

    def ask(self) -> Sequence[Proposal]:
        """What to try next."""

    def tell(self, scores: Sequence[FoldScore]) -> None:
        """These fits have ended."""
