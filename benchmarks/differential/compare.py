"""Two sides of a case, and what comes of them."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.differential import ours, peer
from benchmarks.differential.cases import Case, random_case
from benchmarks.differential.peer import Judged

_LOCAL_EVERY = 20


class Kind(StrEnum):
    """What can come of a case."""

    EQUAL = "equal"
    BOTH_RAISE = "both raise"
    REFUSED = "refused"
    DIFFERENT = "different"
    OURS_RAISES = "ours raises"
    THEIRS_RAISES = "theirs raises, ours does not"

    @property
    def is_right(self) -> bool:
        """Whether a person may rely on it."""
        return self in (Kind.EQUAL, Kind.BOTH_RAISE, Kind.REFUSED)


@dataclass(frozen=True)
class Outcome:
    """What came of a case.

    Attributes
    ----------
    kind : Kind
    line : str
        What a side said, or the cell of the largest difference.
    largest : float
        Difference of a split score; infinite where one side has none.
    ours, theirs : Judged or str
        What each side found, or the error that it raised.
    """

    kind: Kind
    line: str = ""
    largest: float = 0.0
    ours: Judged | str = ""
    theirs: Judged | str = ""

    @property
    def theirs_works(self) -> bool:
        """Whether GridSearchCV has a winner."""
        return isinstance(self.theirs, Judged) and self.theirs.has_winner


def outcome_of(seed: int) -> Outcome:
    """Compare the case of `seed`; one in twenty on the local engine."""
    return compare(random_case(seed), local=seed % _LOCAL_EVERY == 0)


def compare(case: Case, local: bool = False) -> Outcome:
    """Sweep `case` on both sides.

    Parameters
    ----------
    case : Case
    local : bool
        Ours on the local engine, rather than in this process.
    """
    with tempfile.TemporaryDirectory(prefix="differential-") as name, _silence():
        folder = Path(name)
        case.table.write(folder)
        theirs = _attempt(lambda: peer.search(case, folder))
        mine = _attempt(lambda: ours.sweep(case, folder, local))
    if isinstance(mine, ours.RefusedError):
        return Outcome(Kind.REFUSED, str(mine), ours=str(mine), theirs=_shown(theirs))
    they_fail = isinstance(theirs, Exception) or not theirs.has_winner
    if isinstance(mine, Exception):
        expected = they_fail and isinstance(mine, ours.AllFailedError)
        kind = Kind.BOTH_RAISE if expected else Kind.OURS_RAISES
        return Outcome(kind, _shown_error(mine), ours=_shown_error(mine), theirs=_shown(theirs))
    if isinstance(theirs, Exception):
        return Outcome(Kind.THEIRS_RAISES, _shown_error(theirs), ours=mine, theirs=_shown_error(theirs))
    largest, cell = largest_difference(mine, theirs)
    kind = Kind.EQUAL if largest <= case.family.tolerance else Kind.DIFFERENT
    return Outcome(kind, cell, largest, mine, theirs)


def _attempt(side: Callable[[], Judged]) -> Judged | Exception:
    try:
        return side()
    except Exception as error:  # whatever it is, it is this side's outcome
        return error


def _shown(side: Judged | Exception) -> Judged | str:
    return _shown_error(side) if isinstance(side, Exception) else side


def _shown_error(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def largest_difference(mine: Judged, theirs: Judged) -> tuple[float, str]:
    """Find the largest difference, and where it is.

    It is relative to scores beyond 1, such as squared errors, and infinite where one side has a score and the other
    none, or where equal scores are said to be of other rounds.
    """
    largest, where = 0.0, ""
    for scorer, expected in theirs.scores.items():
        found = mine.scores[scorer]
        if found.shape != expected.shape:
            return np.inf, f"{found.shape[0]} candidates on {found.shape[1]} folds, theirs {expected.shape}"
        with np.errstate(invalid="ignore"):
            gaps = np.where(found == expected, 0.0, np.abs(found - expected))
            gaps = gaps / np.fmax(1.0, np.where(np.isfinite(expected), np.abs(expected), 1.0))
        gaps = np.where(np.isnan(found) != np.isnan(expected), np.inf, np.nan_to_num(gaps, nan=0.0, posinf=np.inf))
        if gaps.max() > largest:
            row, fold = np.unravel_index(gaps.argmax(), gaps.shape)
            largest = float(gaps.max())
            where = f"{scorer}, candidate {row}, fold {fold}: {found[row, fold]:.6g}, theirs {expected[row, fold]:.6g}"
    if mine.rounds != theirs.rounds:
        return largest or np.inf, f"rounds {mine.rounds}, theirs {theirs.rounds}; {where}"
    return largest, where


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep the libraries quiet, and to one thread."""
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        yield
