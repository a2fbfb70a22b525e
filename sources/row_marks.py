"""A number for each row of a table, equal for equal rows in whatever file they stand.

Two sweeps over two files, the second perhaps the first with new rows, share rows that only their content tells apart.
A row's mark is a 64-bit hash of its features and its target: of ten million rows, two different ones share one with a
chance of three in a million.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types
from pandas.util import hash_array

Marks = NDArray[np.uint64]

_FACTOR = np.uint64(1_000_003)


def row_marks(X: pd.DataFrame, target: pd.DataFrame) -> Marks:
    """Return the marks of rows.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_columns)
        As ``own_columns.as_features`` gives it. The order of the columns counts, their names do not.
    target : DataFrame of shape (n_rows, n_targets)

    Returns
    -------
    ndarray of shape (n_rows,), uint64
        Whether a file writes a number as 1 or 1.0, or text as a category, makes no difference.
    """
    marks = np.zeros(len(X), dtype=np.uint64)
    with np.errstate(over="ignore"):
        for frame in (X, target):
            for place in range(frame.shape[1]):
                marks = marks * _FACTOR ^ _hashes(frame.iloc[:, place])
    return marks


def _hashes(column: pd.Series) -> Marks:
    """Hash numbers as floating ones, all else as text; a gap is 0."""
    if types.is_numeric_dtype(column.dtype):
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan) + 0.0  # there are two zeros
        return np.where(np.isnan(numbers), np.uint64(0), hash_array(numbers))
    codes, values = pd.factorize(column)
    known = hash_array(np.array([label_text(value) for value in values], dtype=object), categorize=False)
    return np.concatenate([known, np.zeros(1, np.uint64)])[codes]


def label_text(value: Any) -> str:
    """Return a cell as text, the same for 1 and 1.0."""
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole else str(value)
