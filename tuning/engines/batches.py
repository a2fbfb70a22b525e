"""Short fits travel several at a time: sending one of two milliseconds, or a job for it, takes longer than the fit."""

from __future__ import annotations

from dataclasses import dataclass

from tuning.plan import Fit

SECONDS = 0.3
"""Worth of fits that a worker has at most, if it has more than one; what has ended should be heard of soon."""

_AHEAD = 2  # shares of what waits, for every worker, so that the last fits end together


@dataclass(frozen=True)
class Batch:
    """Fits that are sent as one, to be run one after the other.

    Attributes
    ----------
    fits : tuple of Fit
        None at all to do no more than load the data.
    enough : float
        Seconds after which no more of them are to begin, since one has turned out to be long.
    """

    fits: tuple[Fit, ...] = ()
    enough: float = float("inf")


def room(waiting: int, queued: int, seconds: float | None, workers: int, worth: float = SECONDS) -> int:
    """Return how many more fits to send to a worker.

    Parameters
    ----------
    waiting : int
        Fits that no worker has yet.
    queued : int
        Fits that the worker has.
    seconds : float or None
        What a fit takes; None while nobody knows.
    workers : int
    worth : float
        Seconds of fits that a worker is to have at most.
    """
    if queued and (seconds is None or queued * seconds > worth / 2):
        return 0
    share = -(-waiting // (_AHEAD * workers))
    fitting = 1 if seconds is None else int(worth / max(seconds, 1e-6)) - queued
    return max(0 if queued else 1, min(share, fitting))
