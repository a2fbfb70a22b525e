"""The rows that no sweep ever sees.

Chosen by a seed and stratified by label, never by position: in the real data neighbouring rows share their label more
often than chance, so the last tenth of the file would be a hold-out that the rest knows something of.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from errors import GridfoldError


def holdout_rows(labels: NDArray[np.str_], share: float, seed: int) -> NDArray[np.bool_]:
    """Return which rows to hold out.

    Parameters
    ----------
    labels : ndarray of shape (n_rows,)
    share : float
        In [0, 1); the hold-out has ``ceil(share * n_rows)`` rows, each label in proportion.
    seed : int

    Returns
    -------
    ndarray of shape (n_rows,), bool

    Raises
    ------
    GridfoldError
        `share` is out of range, or leaves some label out of either part.
    """
    held = np.zeros(len(labels), dtype=bool)
    check_share(share)
    if share == 0:
        return held
    _check_labels(labels, share)
    _, rows = train_test_split(np.arange(len(labels)), test_size=share, random_state=seed, stratify=labels)
    held[rows] = True
    return held


def check_share(share: float) -> None:
    """Raise GridfoldError unless `share` is in [0, 1)."""
    if not 0 <= share < 1:
        raise GridfoldError(f"holdout: {share} is not a share of the rows. Expected at least 0 (none) and less than 1.")


def _check_labels(labels: NDArray[np.str_], share: float) -> None:
    names, counts = np.unique(labels, return_counts=True)
    if counts.min() < 2:
        raise GridfoldError(
            f"holdout: the group '{names[counts.argmin()]}' has 1 device, and a stratified hold-out takes at least one "
            "and leaves at least one of each group. Use holdout=0, or more devices."
        )
    held = math.ceil(share * len(labels))
    for part, size, change in (("the hold-out", held, "larger"), ("the rest", len(labels) - held, "smaller")):
        if size < len(names):
            raise GridfoldError(
                f"holdout: at {share} of {len(labels):,} devices {part} has {size}, too few for each of the "
                f"{len(names)} groups. Use a {change} share, holdout=0, or more devices."
            )
