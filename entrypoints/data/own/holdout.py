"""Which rows of a person's own table no sweep sees: classes in proportion, groups whole."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupShuffleSplit, train_test_split

from errors import SpecError
from tuning import Dataset

_DRAWS = 50

Split = tuple[NDArray[np.intp], NDArray[np.intp]]


def held_rows(data: Dataset, share: float, seed: int) -> NDArray[np.intp] | None:
    """Draw the rows to set aside.

    Parameters
    ----------
    data : Dataset
    share : float
        In [0, 1); 0 sets none aside.
    seed : int

    Returns
    -------
    ndarray of shape (n_held,) or None
        In their order; None where none are.

    Raises
    ------
    SpecError
        The share is impossible with so few rows, groups or rows of a class.
    """
    if share == 0:
        return None
    split = _by_class(data, share, seed) if data.groups is None else _by_group(data, data.groups, share, seed)
    return np.sort(split[1])


def parted(data: Dataset, held: NDArray[np.intp] | None) -> tuple[Dataset, Dataset | None]:
    """Return the rows to learn from, and those that are `held`."""
    if held is None:
        return data, None
    return data.rows(np.setdiff1d(np.arange(data.n_rows), held)), data.rows(held)


def _by_class(data: Dataset, share: float, seed: int) -> Split:
    if data.classes is not None:
        counts = np.bincount(data.y)
        if counts.min() < 2:
            raise SpecError(
                f"holdout: class '{data.classes[counts.argmin()]}' has 1 row, which cannot stand on both sides. "
                "Use -P holdout=0, or more rows of it."
            )
    rows = np.arange(data.n_rows)
    try:
        train, held = train_test_split(
            rows, test_size=share, random_state=seed, stratify=None if data.classes is None else data.y
        )
    except ValueError as error:
        raise _impossible(data, share, f"{data.n_rows:,} rows") from error
    return train, held


def _by_group(data: Dataset, groups: NDArray[Any], share: float, seed: int) -> Split:
    """Draw whole groups a number of times, and keep the draw that is nearest in size and in shares of classes."""
    n_groups = len(np.unique(groups))
    try:
        splitter = GroupShuffleSplit(_DRAWS, test_size=share, random_state=seed)
        draws: list[Split] = list(splitter.split(np.zeros(data.n_rows), groups=groups))
    except ValueError as error:
        raise _impossible(data, share, f"{n_groups:,} groups") from error
    best = min(draws, key=lambda draw: _distance(data, draw, share))
    if not np.isfinite(_distance(data, best, share)):
        raise _impossible(data, share, f"{n_groups:,} groups")
    return best


def _distance(data: Dataset, draw: Split, share: float) -> float:
    """How far the rows held are from `share` of each class; infinite where a side lacks a class."""
    n_classes = 1 if data.classes is None else len(data.classes)
    strata = np.zeros(data.n_rows, dtype=np.intp) if data.classes is None else data.y
    kept, held = (np.bincount(strata[rows], minlength=n_classes) for rows in draw)
    if not kept.all() or not held.all():
        return float("inf")
    return float(np.abs(held - share * (kept + held)).sum())


def _impossible(data: Dataset, share: float, of: str) -> SpecError:
    classes = "" if data.classes is None else f" with each of the {len(data.classes)} classes on both sides"
    return SpecError(f"holdout: {share:g} of {of} cannot be set aside{classes}. Use another share, or -P holdout=0.")
