"""Text in a CSV file that was meant as something else: numbers with a stray cell, dates, numbers beyond 64 bits.

A CSV file has no types. One `?` among a thousand numbers makes text of the column, and text is learned from as
categories: no error, another model. Columns of a Parquet file are what their writer has said, and are not judged.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from errors import SourceError
from sources.target_columns import target_columns

_DATE = (
    r"\s*(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2}))"
    r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\s*(?:Z|[AP]M|[+-]\d{2}:?\d{2})?)?\s*"
)
_WITH_COMMAS = r"\s*[+-]?\d[\d.]*(?:,\d+)+\s*"
_MOST = 0.9  # of the cells: what the column was meant to be
_FEW = 20  # different whole numbers, and no more: codes, which may have a letter among them


def check_text(frame: pd.DataFrame, shown_as: str, decimal: str = ".", target: str = "") -> None:
    """Refuse columns of text that would be learned from as something that nobody meant.

    Parameters
    ----------
    frame : DataFrame
        As read from a CSV file.
    shown_as : str
    decimal : str
        What stands before fractions in the file.
    target : str
        The column or columns to be predicted, as the person typed them: text is as good a label as any, so only a stray
        cell among numbers is refused.

    Raises
    ------
    SourceError
        It names the column, and a cell by its row, counted from 1 below the header.
    """
    targets = target_columns(target, frame.columns)
    for name, column in frame.items():
        if isinstance(column.dtype, pd.StringDtype) or column.dtype == object:
            _check(column, f"{shown_as}: column '{name}'", decimal, name in targets)


def _check(column: pd.Series, where: str, decimal: str, is_target: bool) -> None:
    cells = column.dropna().astype(str).value_counts()
    if cells.empty or set(column.dropna().map(type)) == {bool}:
        return
    values = cells.index.to_series()
    numbers = pd.to_numeric(values.str.replace(",", ".") if decimal == "," else values, errors="coerce")
    strange = numbers.isna() & (values.str.strip() != "")
    if not is_target:
        _refuse_dates(column, cells, where)
        if not strange.any():
            _refuse_numbers(values, where)
        if decimal == ".":
            _refuse_commas(cells, ~strange, where)
    share = 1 - _share(cells, strange)
    fractions = (numbers.dropna() % 1 != 0).any()
    quantity = fractions or numbers.nunique() > _FEW
    if strange.any() and quantity and share >= (0.5 if fractions else _MOST):
        _refuse_cell(column, set(values[strange]), where)


def _share(cells: pd.Series, chosen: pd.Series) -> float:
    return float(cells.to_numpy()[chosen.to_numpy(dtype=bool)].sum() / cells.sum())


def _refuse_dates(column: pd.Series, cells: pd.Series, where: str) -> None:
    if _share(cells, cells.index.to_series().str.fullmatch(_DATE)) >= _MOST:
        raise SourceError(
            f"{where} holds dates ('{column.dropna().iloc[0]}'), which no estimator can learn from. Make numbers of "
            "them, such as days since one of them, or drop the column."
        )


def _refuse_commas(cells: pd.Series, plain: pd.Series, where: str) -> None:
    with_comma = cells.index.to_series().str.fullmatch(_WITH_COMMAS)
    if with_comma.any() and _share(cells, with_comma | plain) >= _MOST:
        raise SourceError(f"{where} holds numbers with a comma ('{cells.index[with_comma][0]}'). Write them without.")


def _refuse_numbers(values: pd.Series, where: str) -> None:
    """Numbers that pandas has left as text: too large, or written in two ways."""
    longest = max(values, key=len)
    if values.str.fullmatch(r"\s*[+-]?\d*\s*").all():
        raise SourceError(
            f"{where} holds whole numbers beyond 64 bits ('{longest.strip()}'), which no estimator can tell apart. "
            "Leave it out, or name it as -P groups if it says which rows belong together."
        )
    raise SourceError(
        f"{where} holds numbers written in two ways, '{longest.strip()}' among them. Write all in one way."
    )


def _refuse_cell(column: pd.Series, strange: set[Any], where: str) -> None:
    cells = column.reset_index(drop=True)
    found = cells[cells.astype(str).isin(strange) & cells.notna()]
    more = f" and {len(found) - 1:,} more such cell{'s' if len(found) > 2 else ''}" if len(found) > 1 else ""
    raise SourceError(
        f"{where} holds '{found.iloc[0]}' in row {found.index[0] + 1:,}{more}, and numbers elsewhere. Mend it, or "
        "leave the cell empty where the value is missing."
    )
