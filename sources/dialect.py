"""What separates the columns of a CSV file, and how it writes fractions.

Both are read off the file, and only where they are beyond doubt: a file read wrongly is worse than one refused.
"""

from __future__ import annotations

import csv
from itertools import islice
from typing import TextIO

import pandas as pd

from errors import SourceError

COMMA = ","
_NAMES = {COMMA: "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
_SAMPLE = 200
_LONGEST_LINE = 1 << 20
_NUMBER = r"\s*[+-]?\d+(?:,\d+)?(?:[eE][+-]?\d+)?\s*"
_WITH_COMMA = r"\s*[+-]?\d+,\d+(?:[eE][+-]?\d+)?\s*"
_THOUSANDS = r"\s*[+-]?[1-9]\d{0,2},\d{3}\s*"
_MOST = 0.9


def header_and_delimiter(file: TextIO, shown_as: str, tabs: bool) -> tuple[list[str], str]:
    """Return the names of the columns and what separates them.

    Parameters
    ----------
    file : text file
        At its beginning.
    shown_as : str
    tabs : bool
        The file's name says that tabs do.

    Raises
    ------
    SourceError
        Two signs would do.
    """
    lines = list(islice(iter(lambda: file.readline(_LONGEST_LINE), ""), _SAMPLE))
    read = {sign: list(csv.reader(lines, delimiter=sign)) for sign in _NAMES}
    headers = {sign: rows[0] if rows else [] for sign, rows in read.items()}
    splitting = [sign for sign, header in headers.items() if len(header) > 1]
    if tabs and "\t" in splitting:
        splitting = ["\t"]
    if len(splitting) > 1:
        splitting = [sign for sign in splitting if _is_even(read[sign][: None if len(lines) < _SAMPLE else -1])]
        if len(splitting) != 1:
            signs = " or ".join(_NAMES[sign] for sign, header in headers.items() if len(header) > 1)
            raise SourceError(
                f"{shown_as}: it cannot be told whether {signs} separates the columns. Write the table with commas, "
                "and names that hold one in quotes."
            )
    sign = splitting[0] if splitting else COMMA
    return headers[sign], sign


def decimal_sign(frame: pd.DataFrame, delimiter: str, shown_as: str) -> str:
    """Return what stands before the fractions in a table whose columns a comma does not separate.

    Parameters
    ----------
    frame : DataFrame
        Read as if a point did.
    delimiter : str
    shown_as : str

    Raises
    ------
    SourceError
        Commas may stand before fractions or between thousands.
    """
    if delimiter == COMMA:
        return "."
    doubtful = ""
    for name, column in frame.items():
        if not isinstance(column.dtype, pd.StringDtype) and column.dtype != object:
            continue
        text = column.dropna().astype(str)
        with_comma = text.str.fullmatch(_WITH_COMMA)
        if not with_comma.any() or text.str.fullmatch(_NUMBER).mean() < _MOST:
            continue
        if (with_comma & ~text.str.fullmatch(_THOUSANDS)).any():
            return COMMA
        doubtful = doubtful or f"column '{name}' holds '{text[with_comma].iloc[0]}'"
    if doubtful:
        raise SourceError(
            f"{shown_as}: {doubtful}, of which it cannot be told whether the comma stands before a fraction or between "
            "thousands. Write numbers without commas."
        )
    return "."


def _is_even(rows: list[list[str]]) -> bool:
    return len({len(row) for row in rows if row}) == 1
