"""What comes of one candidate on one fold, and of fitting some of these cells again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tuning.candidates import Candidate

if TYPE_CHECKING:
    from tuning.kept.responses import Responses


@dataclass(frozen=True)
class FoldScore:
    """One candidate's outcome on one fold.

    Attributes
    ----------
    candidate : Candidate
    fold : int
        The fold's index.
    scores : mapping of str to float
        Test score by scorer name, greater is better; empty where the fit failed.
    fit_seconds : float
        Time to train. Candidates that share a booster each carry the booster's time up to their own last round, so
        that the figures compare with those of separate fits.
    score_seconds : float
        Time to predict and score.
    error : str or None
        One line, ``ValueError: ...``, where the fit or the scoring raised.
    warning : str or None
        One line, ``ConvergenceWarning: ...``, the first that the estimator gave.
    share : float
        Of the full training rows or rounds; below 1 on the lower rungs of halving.
    curves : mapping of str to sequence of float
        By scorer name, the test score after each boosting round, where the sweep stops early.
    shared : str
        What the fit had in common with those of other candidates, and why that is exact.
    lost : bool
        Whether `error` says that the fit was lost rather than that it cannot succeed: its process died, it had no
        memory, a file or a library was missing. Another sweep tries it again.
    cell : str
        Address under which the outcome is remembered; empty where nothing remembers it.
    reused : bool
        Whether it is remembered from an earlier sweep, so that nothing was fitted for it.
    responses : Responses or None
        What the model answered for the test rows, on the way from the worker to where it is kept.
    unkept : str
        Why there are no `responses` though they were asked for, in a clause.
    """

    candidate: Candidate
    fold: int
    scores: Mapping[str, float] = field(default_factory=dict)
    fit_seconds: float = 0.0
    score_seconds: float = 0.0
    error: str | None = None
    warning: str | None = None
    share: float = 1.0
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)
    shared: str = ""
    lost: bool = False
    cell: str = ""
    reused: bool = False
    responses: Responses | None = field(default=None, compare=False, repr=False)
    unkept: str = ""


@dataclass(frozen=True)
class Verification:
    """What came of fitting some cells, each a candidate on a fold, again in the plainest way.

    Attributes
    ----------
    cells : int
        How many were fitted again.
    difference : float
        The largest difference of any score; 0 where none was checked.
    disagreement : str or None
        The cell whose scores differ by more than they may, and by how much.
    """

    cells: int = 0
    difference: float = 0.0
    disagreement: str | None = None
