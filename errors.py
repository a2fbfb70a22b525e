"""The one exception family: everything that a person can put right.

Rooms raise these with the whole sentence (what is wrong, where, what to do); the entry points catch them once, print
the sentence as one line and write it to the run. Anything else that escapes is a defect of ours and is shown as one.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class GridfoldError(Exception):
    """A failure that the person who typed the command can mend; ``str()`` of it is the one line they read."""


class SpecError(GridfoldError):
    """The sweep that was asked for makes no sense; nothing has been computed yet."""


class SourceError(GridfoldError):
    """The data cannot be had, or is not what the schema says."""


class CacheError(GridfoldError):
    """The cache folder cannot be written to."""


class FitError(GridfoldError):
    """Every candidate failed, so there is nothing to choose from."""


class EngineError(GridfoldError):
    """The workers that were to run the fits are lost or cannot be had."""


class TrackingError(GridfoldError):
    """The tracking store or the model registry refused."""


class StoreAwayError(TrackingError):
    """The tracking store has been away for longer than it is waited for."""


class KeptForLaterError(StoreAwayError):
    """What was to be recorded is kept on disk, and will be as soon as the store is back."""


class UnfinishedError(GridfoldError):
    """The sweep has its result, and something that is made of it afterwards is missing."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the nearest of `known`, or an empty string when none is near."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean '{near[0]}'?" if near else ""
