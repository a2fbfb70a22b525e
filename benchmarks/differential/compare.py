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
class Difference:
    """What lies between two sides.

    Attributes
    ----------
    largest : float
        Difference of a split score that both have; relative to scores beyond 1, such as squared errors.
    lost : int
        Split scores that one side has and the other has not, and rounds that are not the same.
    where : str
        The first of the lost ones or the largest difference.
    """

    largest: float = 0.0
    lost: int = 0
    where: str = ""


@dataclass(frozen=True)
class Outcome:
    """What came of a case.

    Attributes
    ----------
    kind : Kind
    line : str
        What a side said, or where they differ.
    difference : Difference
    ours, theirs : Judged or str
        What each side found, or the error that it raised.
    """

    kind: Kind
    line: str = ""
    difference: Difference = Difference()
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
    found = difference(mine, theirs)
    kind = Kind.EQUAL if not found.lost and found.largest <= case.family.tolerance else Kind.DIFFERENT
    return Outcome(kind, found.where, found, mine, theirs)


def _attempt(side: Callable[[], Judged]) -> Judged | Exception:
    try:
        return side()
    except Exception as error:  # whatever it is, it is this side's outcome
        return error


def _shown(side: Judged | Exception) -> Judged | str:
    return _shown_error(side) if isinstance(side, Exception) else side


def _shown_error(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def difference(mine: Judged, theirs: Judged) -> Difference:
    """Compare every split score of every candidate, and the rounds that early stopping chose."""
    largest, lost, where = 0.0, 0, ""
    for scorer, expected in theirs.scores.items():
        found = mine.scores[scorer]
        if found.shape != expected.shape:
            return Difference(0.0, expected.size, f"candidates and folds {found.shape}, theirs {expected.shape}")
        same = (found == expected) | (np.isnan(found) & np.isnan(expected))
        one_sided = ~same & ~(np.isfinite(found) & np.isfinite(expected))
        with np.errstate(invalid="ignore"):
            gaps = np.abs(found - expected) / np.fmax(1.0, np.abs(expected))
        gaps = np.where(np.isfinite(gaps), gaps, 0.0)
        lost += int(one_sided.sum())
        if gaps.max() > largest or (one_sided.any() and not where):
            row, fold = np.unravel_index((gaps if gaps.max() > largest else one_sided).argmax(), gaps.shape)
            largest = max(largest, float(gaps.max()))
            where = f"{scorer}, candidate {row}, fold {fold}: {found[row, fold]:.6g}, theirs {expected[row, fold]:.6g}"
    if any(ours is not None and ours != peers for ours, peers in zip(mine.rounds, theirs.rounds, strict=True)):
        return Difference(largest, max(lost, 1), f"rounds {mine.rounds}, theirs {theirs.rounds}; {where}")
    return Difference(largest, lost, where)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep the libraries quiet, and to one thread."""
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        yield
