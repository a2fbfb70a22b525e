"""What the columns of a person's own table may hold: numbers, true and false, categories; any of them with gaps.

Numbers become 64-bit, since a model's signature would refuse a 64-bit number where the table had fewer bits, and
pandas' own types for missing values become NaN, which is what estimators know.
"""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import pandas as pd
from pandas.api import types

from errors import SourceError

_LABELS = ("string", "integer", "floating", "mixed-integer-float", "boolean", "mixed-integer", "empty")


def as_features(frame: pd.DataFrame, shown_as: str) -> pd.DataFrame:
    """Return `frame` with each column an int64, float64, bool or category one.

    A category's values are text or whole numbers, those that occur, in order. True and false with gaps are 1.0 and 0.0.

    Raises
    ------
    SourceError
        A column holds something else, such as dates, or infinity.
    """
    columns = {name: _as_feature(column, f"{shown_as}: column '{name}'") for name, column in frame.items()}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(frame)))


def as_numbers(column: pd.Series, where: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return a column of numbers as float64, gaps as NaN.

    Raises
    ------
    SourceError
        It holds text, dates or infinity; the sentence begins with `where`.
    """
    if not types.is_numeric_dtype(column.dtype):
        shown = column.dropna().iloc[:1].tolist()
        example = f" ('{shown[0]}')" if shown else ""
        raise SourceError(f"{where} holds {_kind(column)}{example}; expected numbers.")
    return _floats(column, where).to_numpy()


def as_labels(column: pd.Series, where: str) -> pd.Series:
    """Return a column to be predicted: numbers, text, or true and false; decimal numbers become floating ones.

    Raises
    ------
    SourceError
        It holds something else; the sentence begins with `where`.
    """
    plain = column.astype(object).infer_objects() if isinstance(column.dtype, pd.CategoricalDtype) else column
    kind = types.infer_dtype(plain, skipna=True)
    if kind == "decimal":
        return _floats(column, where)
    if kind not in _LABELS:
        raise SourceError(f"{where} holds {_kind(plain)}, which cannot be predicted. Name a column of numbers or text.")
    return column


def _as_feature(column: pd.Series, where: str) -> pd.Series:
    column = column.reset_index(drop=True)
    if column.isna().all():
        return pd.Series(np.nan, index=column.index, name=column.name)
    if isinstance(column.dtype, pd.CategoricalDtype):
        kind = types.infer_dtype(column.cat.categories)
        if kind in ("string", "integer"):
            return _in_order(column.cat.remove_unused_categories())
        column = column.astype(object).infer_objects()
    kind = types.infer_dtype(column, skipna=True)
    if kind == "boolean":
        return _floats(column, where) if column.isna().any() else column.astype(bool)
    if types.is_numeric_dtype(column.dtype):
        return _number(column, where)
    if kind == "integer":
        raise SourceError(
            f"{where} holds whole numbers beyond 64 bits, which no estimator can tell apart. Leave it out, or name it "
            "as -P groups if it says which rows belong together."
        )
    if kind == "string":
        return _in_order(column.astype(object).astype("category"))
    if kind == "decimal":
        return _floats(column, where)
    raise SourceError(
        f"{where} holds {_kind(column)}, which no estimator can learn from. Make numbers or text of it, or drop it."
    )


def _in_order(column: pd.Series) -> pd.Series:
    """Sort the categories, so that neither the order of rows nor of a file's dictionary tells."""
    values: list[Hashable] = sorted(column.cat.categories)
    return column.cat.set_categories(values).cat.as_unordered()


def _number(column: pd.Series, where: str) -> pd.Series:
    is_whole = types.is_integer_dtype(column.dtype) and not column.isna().any()
    fits = is_whole and (column.dtype != np.uint64 or column.max() <= np.iinfo(np.int64).max)
    return column.astype(np.int64) if fits else _floats(column, where)


def _floats(column: pd.Series, where: str) -> pd.Series:
    numbers = pd.Series(pd.to_numeric(column).to_numpy(dtype=np.float64, na_value=np.nan), name=column.name)
    infinite = np.isinf(numbers.to_numpy())
    if infinite.any():
        raise SourceError(f"{where} holds infinity in row {infinite.argmax() + 1:,}. Leave the cell empty, or cap it.")
    return numbers


def _kind(column: pd.Series) -> str:
    kind = types.infer_dtype(column, skipna=True)
    if column.map(lambda value: isinstance(value, list | np.ndarray)).any():
        return "lists"
    words = {
        "string": "text",
        "datetime64": "dates",
        "mixed-integer": "numbers and text",
        "mixed": "mixed values",
        "date": "dates",
        "bytes": "bytes",
    }
    return words.get(kind, kind)
