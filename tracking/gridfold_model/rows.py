"""A caller's rows as the estimator was trained on them, whatever types pandas, JSON or Spark have given their columns.

Numbers may come as whole ones, fractions, truths, decimals or objects, with gaps of any kind: an estimator that takes
gaps gets NaN. Fractions are taken where the table had whole numbers. A category is told by its value, and by its text
where the table had text: pandas makes numbers of a column of codes in which no letter happens to stand.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types as kinds

_TRUTHS = {"true": 1.0, "false": 0.0}
_LARGEST = 2.0**63
_SHOWN = 40


class RowsError(ValueError):
    """Rows are not what the model takes; the message names the column, and the row by its label in the index."""


def as_columns(data: Any, columns: Sequence[str]) -> pd.DataFrame:
    """Return `columns` of a caller's rows, in their order.

    Raises
    ------
    RowsError
        One is missing.
    """
    rows = data if isinstance(data, pd.DataFrame) else pd.DataFrame(data)
    missing = [name for name in columns if name not in rows.columns]
    if missing and rows.shape[1] == len(columns) and not isinstance(data, pd.DataFrame):
        return rows.set_axis(list(columns), axis=1)  # an array has no names
    if missing:
        shown = ", ".join(f"'{name}'" for name in missing[:3])
        more = f" and {len(missing) - 3:,} more" if len(missing) > 3 else ""
        raise RowsError(f"there is no column {shown}{more}, which the model takes.")
    return rows[list(columns)]


def typed(column: pd.Series, kind: str) -> pd.Series:
    """Return numbers or truths in the type that the estimator was trained on; with gaps or fractions, as float64.

    Raises
    ------
    RowsError
        A value is no number, is infinite, or is not true or false where the table had nothing else.
    """
    if str(column.dtype) == kind and kind != "float64":
        return column
    numbers = _numbers(column)
    known = numbers[~np.isnan(numbers)]
    if np.isinf(known).any():
        raise _refusal(column, np.isinf(numbers), "holds infinity")
    if kind == "bool" and not np.isin(known, (0, 1)).all():
        raise _refusal(column, ~np.isnan(numbers) & ~np.isin(numbers, (0, 1)), "was true or false in the table, and is")
    lossless = len(known) == len(numbers) and (np.abs(known) < _LARGEST).all() and (known == np.round(known)).all()
    if kind == "float64" or not lossless:
        return pd.Series(numbers, index=column.index, name=column.name)
    if kinds.is_integer_dtype(column.dtype):  # not by way of fractions, which lose digits
        return column.astype(np.dtype(kind))
    return pd.Series(numbers.astype(kind), index=column.index, name=column.name)


def _numbers(column: pd.Series) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return a column as float64; gaps are NaN."""
    if kinds.is_numeric_dtype(column.dtype) and not kinds.is_complex_dtype(column.dtype):
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)
    values = np.full(len(column), np.nan)
    cells = column.astype(object).to_numpy()
    missing = column.isna().to_numpy()
    for place in np.flatnonzero(~missing):
        try:
            values[place] = _number(cells[place])
        except (TypeError, ValueError) as error:
            label: Any = column.index[int(place)]
            said = f"column '{column.name}' holds {_shown(cells[place])} in row {label}, which is no number."
            raise RowsError(said) from error
    return values


def _number(cell: Any) -> float:
    if isinstance(cell, datetime.date | datetime.timedelta | np.datetime64 | np.timedelta64):
        raise TypeError("a time is no number")
    if isinstance(cell, str) and cell.lower() in _TRUTHS:
        return _TRUTHS[cell.lower()]
    return float(cell)


def categorical(column: pd.Series, values: Sequence[Any]) -> pd.Series:
    """Return a column as a category of the known `values`; another value is missing.

    Raises
    ------
    RowsError
        The column holds lists or the like.
    """
    try:
        codes, found = pd.factorize(column.astype(object))
    except TypeError as error:
        raise RowsError(f"column '{column.name}' holds lists or objects. Give single values.") from error
    place = {value: code for code, value in enumerate(values)}
    by_text = {_text(value): code for value, code in place.items()}
    known = np.array([place.get(value, by_text.get(_text(value), -1)) for value in found] + [-1], dtype=np.intp)
    known_codes = known[codes]
    made = pd.Categorical.from_codes(known_codes, dtype=pd.CategoricalDtype(list(values)))
    return pd.Series(made, index=column.index, name=column.name)


def _text(value: Any) -> str:
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole else str(value)


def framed(data: Any, columns: Sequence[str], types: Mapping[str, str], categories: Mapping[str, Any]) -> pd.DataFrame:
    """Return a caller's rows with the columns and types of the table that the estimator was trained on.

    Raises
    ------
    RowsError
    """
    rows = as_columns(data, columns) if columns else data
    made = {
        name: categorical(rows[name], categories[name])
        if name in categories
        else typed(rows[name], types.get(name, "float64"))
        for name in rows.columns
    }
    return pd.DataFrame(made, index=rows.index)


def gaps_in(rows: Any) -> str:
    """Say which columns have gaps, and where the first is; empty where none has, or there are no names."""
    if not isinstance(rows, pd.DataFrame):
        return ""
    names = list(rows.columns[rows.isna().any()])
    if not names:
        return ""
    first = rows[names[0]].isna()
    more = f" (so are {len(names) - 1:,} more columns)" if len(names) > 1 else ""
    return f"column '{names[0]}' is empty in row {rows.index[int(first.to_numpy().argmax())]}{more}"


def one_hot(frame: pd.DataFrame, categories: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """Replace each categorical column by a column ``NAME=VALUE`` of 0.0 and 1.0 for each of its known values.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
    categories : mapping of str to sequence
        The known values of each categorical column. A row without a value, or with another one, is 0.0 in all of them.

    Returns
    -------
    DataFrame of shape (n_rows, n_encoded), float64
        In the order of the columns, and of the values of each.
    """
    columns: dict[str, Any] = {}
    width = 0
    for name in frame.columns:
        if name in categories:
            codes = categorical(frame[name], categories[name]).cat.codes.to_numpy()
            encoded = {
                f"{name}={value}": (codes == code).astype(np.float64) for code, value in enumerate(categories[name])
            }
        else:
            encoded = {name: frame[name].to_numpy(np.float64)}
        columns |= encoded
        width += len(encoded)
    if len(columns) < width:
        raise ValueError("a column has the name of another one's category")
    return pd.DataFrame(columns, index=frame.index)


def plain_names(names: Sequence[str]) -> list[str]:
    """Return names that every library takes, one for each of `names`.

    XGBoost refuses ``[]<`` and LightGBM what JSON is made of; LightGBM rewrites blanks, and then may find two alike.
    """
    plain: dict[str, None] = {}
    for name in names:
        base = candidate = re.sub(r"[^\w=.+-]", "_", str(name))
        number = 1
        while candidate in plain:
            number += 1
            candidate = f"{base}_{number}"
        plain[candidate] = None
    return list(plain)


def _refusal(column: pd.Series, where: Any, said: str) -> RowsError:
    place = int(np.argmax(where))
    shown = "" if said.endswith("infinity") else f" {_shown(column.iloc[place])}"
    return RowsError(f"column '{column.name}' {said}{shown} in row {column.index[place]}.")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
