"""What a sweep is run on: rows to learn from, and nothing of where they came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows, their target, and the names that a person knows them by.

    Attributes
    ----------
    X : csr_matrix, ndarray or DataFrame of shape (n_rows, n_columns)
    y : ndarray of shape (n_rows,)
        For classification the codes 0 .. n_classes - 1, positions in `classes`.
    classes : ndarray of shape (n_classes,) or None
        The labels as the user wrote them; None for regression.
    columns : sequence of str, of length n_columns
    sample_weight : ndarray of shape (n_rows,) or None
        Weighs rows in training and in scoring.
    groups : ndarray of shape (n_rows,) or None
        Rows of one group never stand on both sides of a split.
    """

    X: Any
    y: NDArray[Any]
    classes: NDArray[Any] | None = None
    columns: Sequence[str] = ()
    sample_weight: NDArray[np.float64] | None = None
    groups: NDArray[Any] | None = None

    @property
    def n_rows(self) -> int:
        """Rows of `X`."""
        return int(self.X.shape[0])

    def rows(self, index: NDArray[np.intp]) -> Dataset:
        """Return the rows numbered `index`, in that order."""
        X = self.X.iloc[index] if hasattr(self.X, "iloc") else self.X[index]
        weight = None if self.sample_weight is None else self.sample_weight[index]
        groups = None if self.groups is None else self.groups[index]
        return Dataset(X, self.y[index], self.classes, self.columns, weight, groups)
