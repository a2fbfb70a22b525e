"""What comes back from a sweep: scores per candidate and fold, and the table that they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tuning.candidates import Candidate


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
        Time to train. Candidates that share a booster each carry the whole booster's time up to their own last
        round, so that the figures compare with those of separate fits.
    score_seconds : float
        Time to predict and score.
    error : str or None
        One line, ``ValueError: ...``, where the fit or the scoring raised.
    """

    candidate: Candidate
    fold: int
    scores: Mapping[str, float] = field(default_factory=dict)
    fit_seconds: float = 0.0
    score_seconds: float = 0.0
    error: str | None = None
