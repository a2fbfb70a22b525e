"""What a sweep is run on: rows to learn from, and nothing of where they came from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows, their target, and the names that a person knows them by.

    Attributes
    ----------
    X : csr_matrix, ndarray or DataFrame of shape (n_rows, n_columns)
    y : ndarray of shape (n_rows,) or (n_rows, n_targets)
        For classification the codes 0 .. n_classes - 1, positions in `classes`. With several targets what the user
        wrote: floats for regression, labels of any other type for classification.
    classes : ndarray of shape (n_classes,) or None
        The labels as the user wrote them, in order; None for regression and for several targets.
    columns : sequence of str, of length n_columns
    sample_weight : ndarray of shape (n_rows,) or None
        Weighs rows in training and in scoring.
    groups : ndarray of shape (n_rows,) or None
        Rows of one group never stand on both sides of a split.
    fold_columns : mapping of str to ndarray of shape (n_rows,)
        What folds are made from and no estimator sees: the time of a row, or the fold that the user gave it.
    ids : ndarray of shape (n_rows,) or None
        What a person finds a row by: its key, or its number in the file, counted from 0.
    """

    X: Any
    y: NDArray[Any]
    classes: NDArray[Any] | None = None
    columns: Sequence[str] = ()
    sample_weight: NDArray[np.float64] | None = None
    groups: NDArray[Any] | None = None
    fold_columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    ids: NDArray[Any] | None = None

    @property
    def n_rows(self) -> int:
        """Rows of `X`."""
        return int(self.X.shape[0])

    @property
    def n_values(self) -> int:
        """Values that `X` holds, as ``n_values_of`` counts them."""
        return n_values_of(self.X)

    @property
    def n_targets(self) -> int:
        """Columns of the target."""
        return 1 if self.y.ndim == 1 else int(self.y.shape[1])

    @property
    def has_labels(self) -> bool:
        """Whether the target is of classes rather than numbers."""
        return self.classes is not None or (self.y.ndim > 1 and self.y.dtype.kind != "f")

    @cached_property
    def labels(self) -> NDArray[Any]:
        """The target as the user wrote it, in the shape of `y`: what estimators learn and scorers compare."""
        return self.y if self.classes is None else np.asarray(self.classes)[self.y]

    @property
    def has_code_labels(self) -> bool:
        """Whether the labels are the codes themselves."""
        if self.classes is None:
            return True
        classes = np.asarray(self.classes)
        return classes.dtype.kind in "iu" and np.array_equal(classes, np.arange(len(classes)))

    def rows(self, index: NDArray[np.intp]) -> Dataset:
        """Return copies of the rows numbered `index`, in that order."""
        X = self.X.iloc[index] if hasattr(self.X, "iloc") else self.X[index]
        return self.with_rows(X, index)

    def with_rows(self, X: Any, index: NDArray[np.intp]) -> Dataset:
        """Return the rows numbered `index`, with `X` in place of theirs."""
        weight = None if self.sample_weight is None else self.sample_weight[index]
        groups = None if self.groups is None else self.groups[index]
        fold_columns = {name: values[index] for name, values in self.fold_columns.items()}
        ids = None if self.ids is None else self.ids[index]
        return replace(
            self, X=X, y=self.y[index], sample_weight=weight, groups=groups, fold_columns=fold_columns, ids=ids
        )


def n_values_of(X: Any) -> int:
    """Count the values of a table: of a sparse one those that are stored, of a sequence without a shape its rows."""
    if hasattr(X, "nnz"):
        return int(X.nnz)
    return math.prod(X.shape) if hasattr(X, "shape") else len(X)
