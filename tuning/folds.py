"""Folds: which rows each candidate learns from, and which it is judged on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Fold:
    """One split of the training rows.

    Attributes
    ----------
    index : int
        Its place among the folds, from 0; names the metric ``split<index>_test_score``.
    train, test : ndarray of int
        Row numbers.
    """

    index: int
    train: NDArray[np.intp]
    test: NDArray[np.intp]
