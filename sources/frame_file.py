"""Read one table file of a person's own: CSV or Parquet, nothing known of it beforehand.

pandas reads it, so that a column is what it would be in the notebook in which the person will use the model: what
counts as missing, as true or false, as a number. Polars is faster, and differs in all three.
"""

from __future__ import annotations

import csv
import warnings
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
from pyarrow.lib import ArrowException

from errors import SourceError

SUFFIXES = (".csv", ".parquet")


def read_frame(path: Path, shown_as: str) -> pd.DataFrame:
    """Read a table.

    Parameters
    ----------
    path : Path
        Of an existing file that ends in one of `SUFFIXES`.
    shown_as : str
        What the person calls the file.

    Returns
    -------
    DataFrame of shape (n_rows, n_columns)
        Columns in file order, their names text. An index that pandas wrote into a Parquet file is an index again.

    Raises
    ------
    SourceError
        The file cannot be read, has no rows, or a column has no name or the name of another.
    """
    try:
        frame = _csv(path, shown_as) if path.suffix == ".csv" else _parquet(path, shown_as)
    except UnicodeDecodeError as error:
        raise SourceError(f"{shown_as}: the file is not UTF-8 text. Save it as UTF-8.") from error
    except (pd.errors.ParserError, pd.errors.ParserWarning, ArrowException, csv.Error) as error:
        reason = str(error).strip().splitlines()[-1].removesuffix(".")
        raise SourceError(
            f"{shown_as}: the file cannot be read as {path.suffix[1:]} ({reason}). Write it anew."
        ) from error
    if frame.empty:
        raise SourceError(f"{shown_as}: the table has no rows. Give a file with a row per example.")
    return frame.rename(columns=str)


def _csv(path: Path, shown_as: str) -> pd.DataFrame:
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file), [])
    if not header:
        raise SourceError(f"{shown_as}: the file is empty. Give a table with a header.")
    _check_names(header, shown_as)
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)  # rows longer than the header would be cut
        return pd.read_csv(path, encoding="utf-8-sig", index_col=False, low_memory=False)


def _parquet(path: Path, shown_as: str) -> pd.DataFrame:
    _check_names(pq.read_schema(path).names, shown_as)
    return pd.read_parquet(path)


def _check_names(names: Iterable[str], shown_as: str) -> None:
    counts = Counter(names)
    if any(not name.strip() for name in counts):
        raise SourceError(
            f"{shown_as}: a column has no name; pandas writes the row numbers so. Write the table with index=False, "
            "or name the column."
        )
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise SourceError(f"{shown_as}: column '{twice[0]}' is there {counts[twice[0]]} times. Keep one of them.")
