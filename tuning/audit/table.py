"""The rows that an audit looks at, in whatever form a sweep is given them.

Training rows come first and hold-out rows follow, so that one number names a row. A column is turned into numbers only
when a check asks for it: most checks look at a few rows of all columns, and at all rows of the few that are left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from tuning.dataset import Dataset
from tuning.folds import Fold, make_folds
from tuning.spec.sweep_spec import SweepSpec

MOST_FOLDS = 20
_A_FEW, _SOME = 64, 4000
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, eq=False)
class Target:
    """One column to predict, of the training rows.

    Attributes
    ----------
    name : str
        "the target", or which of several.
    values : ndarray of shape (n_rows,)
        Codes of labels, or numbers.
    has_labels : bool
    """

    name: str
    values: NDArray[Any]
    has_labels: bool

    @cached_property
    def shares(self) -> NDArray[np.float64]:
        """Share of the rows that each distinct value has."""
        return np.asarray(np.unique(self.values, return_counts=True)[1] / len(self.values))

    @property
    def chance(self) -> float:
        """How often two rows have the same value by chance."""
        return float((self.shares**2).sum())


class Audited:
    """Rows, their targets and the folds that are made of them.

    Parameters
    ----------
    spec : SweepSpec
    train : Dataset
    holdout : Dataset or None

    Attributes
    ----------
    n_train, n_rows, n_columns : int
        Training rows, all rows, and columns.
    """

    def __init__(self, spec: SweepSpec, train: Dataset, holdout: Dataset | None = None) -> None:
        self._spec, self.train = spec, train
        self.parts = [part.X for part in (train, holdout) if part is not None]
        self.n_train, self.n_columns = train.X.shape
        self.n_rows = sum(part.shape[0] for part in self.parts)
        self._ids = [part.ids for part in (train, holdout) if part is not None]
        self._y = [part.y for part in (train, holdout) if part is not None]

    @property
    def is_sparse(self) -> bool:
        """Whether the rows are a sparse matrix."""
        return bool(sp.issparse(self.parts[0]))

    @cached_property
    def folds(self) -> Sequence[Fold]:
        """The first folds of the sweep; made only where a check has found what may stand on both sides of one."""
        return make_folds(self._spec.cv, self.train)[:MOST_FOLDS]

    @cached_property
    def targets(self) -> list[Target]:
        """Each column to predict."""
        y, has_labels = self.train.y, self.train.has_labels
        if y.ndim == 1:
            return [Target("the target", y, has_labels)]
        columns = [pd.factorize(column)[0] if has_labels else column for column in y.T]
        return [Target(f"target {place}", column, has_labels) for place, column in enumerate(columns, start=1)]

    @cached_property
    def target_codes(self) -> NDArray[np.int64]:
        """What a row is to be predicted as, all targets together; equal codes for equal rows of targets."""
        y = np.concatenate(self._y)
        codes = np.zeros(len(y), dtype=np.int64)
        for column in y.reshape(len(y), -1).T:
            own = pd.factorize(column)[0]
            codes = pd.factorize(codes * (own.max(initial=0) + 2) + own)[0]
        return codes

    @cached_property
    def ids(self) -> NDArray[Any]:
        """What a person finds each row by."""
        known = [each for each in self._ids if each is not None]
        return np.concatenate(known) if len(known) == len(self._ids) else np.arange(self.n_rows)

    def name(self, column: int) -> str:
        """Return what a sentence calls the column."""
        return f"'{self.plain_name(column)}'" if len(self.train.columns) else f"number {column}"

    def plain_name(self, column: int) -> str:
        """Return the column's own name, or its number."""
        return str(self.train.columns[column]) if len(self.train.columns) else str(column)

    def columns_of(self, columns: NDArray[np.intp]) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield some columns of the training rows, as numbers; of a sparse matrix they are taken out in one go."""
        if not self.is_sparse:
            yield from ((int(each), self.column(int(each))) for each in columns)
        elif len(columns):
            taken = self.parts[0][:, columns].tocsc()
            yield from ((int(each), taken[:, [place]].toarray().ravel()) for place, each in enumerate(columns))

    def kind(self, column: int) -> str:
        """Return the letter of the column's type, as NumPy has it; "C" for categories and "O" for text."""
        kind = self._dtype(column)
        return kind.kind if isinstance(kind, np.dtype) else ("C" if isinstance(kind, pd.CategoricalDtype) else "O")

    def column(self, column: int, rows: NDArray[np.intp] | None = None, all_rows: bool = False) -> NDArray[Any]:
        """Return a table's column as numbers, of the training rows or of all; a gap is NaN, or -1 among codes.

        Parameters
        ----------
        column : int
        rows : ndarray of int, optional
            Which of them; all by default.
        all_rows : bool
            Whether the hold-out's follow; codes are then of both.
        """
        pieces = [part[column] for part in (self._columns if all_rows else self._columns[:1])]
        if isinstance(self._dtype(column), pd.CategoricalDtype) and all(p.dtype == pieces[0].dtype for p in pieces):
            pieces = [piece.cat.codes for piece in pieces]
        arrays = [np.asarray(piece) for piece in pieces]
        if rows is not None and len(arrays) == 1:
            arrays, rows = [arrays[0][rows]], None
        values = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
        values = values if rows is None else values[rows]
        return values if values.dtype.kind in "biuf" else _codes(values)

    def raw(self, column: int) -> Any:
        """Return the training rows' column as it is."""
        return self._columns[0][column]

    @cached_property
    def few(self) -> NDArray[np.intp]:
        """Numbers of a few training rows from all over the table."""
        drawn = np.random.default_rng(0).choice(self.n_train, min(_A_FEW, self.n_train), replace=False)
        return np.sort(drawn)

    @cached_property
    def variety(self) -> NDArray[np.int64]:
        """How many values each column of a table has among ``few`` rows."""
        X = self.parts[0]
        if isinstance(X, np.ndarray) and X.dtype.kind in "biuf":
            ordered = np.sort(X[self.few], axis=0)
            return np.asarray(1 + (ordered[1:] != ordered[:-1]).sum(axis=0))
        counted = [len(np.unique(self.column(each, self.few))) for each in range(self.n_columns)]
        return np.array(counted, dtype=np.int64)

    def rows_of_some_values(self, values: NDArray[Any]) -> NDArray[np.intp]:
        """Choose some of the whole numbers in `values`, those of a few thousand rows, and return all rows of them."""
        if len(values) <= _SOME:
            return np.arange(len(values))
        spread = values.astype(np.int64).view(np.uint64) * _SPREAD
        return np.flatnonzero(spread < np.uint64(2**64 / len(values) * _SOME))

    def _dtype(self, column: int) -> Any:
        X = self.parts[0]
        return self._dtypes[column] if hasattr(X, "iloc") else X.dtype

    @cached_property
    def _columns(self) -> list[Sequence[Any]]:
        """Of each part its columns: pandas takes longer to find one than most checks to look at it."""
        return [[each for _, each in part.items()] if hasattr(part, "items") else part.T for part in self.parts]

    @cached_property
    def _dtypes(self) -> list[Any]:
        return list(self.parts[0].dtypes)


def _codes(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype.kind in "mM":
        return values.astype("datetime64[ns]" if values.dtype.kind == "M" else "timedelta64[ns]").view(np.int64)
    return np.asarray(pd.factorize(values)[0])
