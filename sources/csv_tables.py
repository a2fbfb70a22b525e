"""Parse one CSV file into one typed Parquet table, strictly.

Polars reads with the exact types, so nothing is guessed and no id passes through a float; this streams at about the
speed of a bare scan. Its errors name an offset in a chunk rather than a line, so a file that fails is read once more by
``sources.diagnosis``, which is slower and finds the first offending cell.
"""

from __future__ import annotations

import csv
import difflib
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from errors import SourceError
from sources.cells import typed_columns, types_as_read
from sources.diagnosis import first_offence, not_utf8
from sources.parquet import check_whole, empty_cells, write
from sources.schema import Table

_HEADER_BYTES = 65_536


def write_table(csv_file: Path, table: Table, folder: Path, shown_as: str) -> Path:
    """Write the table into `folder` and return its path.

    Parameters
    ----------
    csv_file : Path
        UTF-8, with a header; columns in any order, extra ones ignored; either line ending.
    table : Table
        What it must be.
    folder : Path
        Where ``NAME.parquet`` goes.
    shown_as : str
        What the person calls the file.

    Raises
    ------
    SourceError
        The file is not what `table` says; the first offending line and cell are named.
    """
    header = read_header(csv_file, table, shown_as)
    path = folder / f"{table.name}.parquet"
    try:
        write(_scan(csv_file, table, header), path)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise SourceError(_explain(csv_file, table, header, shown_as, str(error))) from error
    empty = empty_cells(path)
    unwanted = [column for column in table.columns if empty[column] and column not in table.nullable]
    if unwanted:
        raise SourceError(_explain(csv_file, table, header, shown_as, f"column '{unwanted[0]}' has unreadable cells"))
    check_whole(table, path, shown_as)
    return path


def read_header(csv_file: Path, table: Table, shown_as: str) -> list[str]:
    """Return the file's column names, the table's among them.

    Raises
    ------
    SourceError
        The file is empty, or a column is missing or there twice.
    """
    header = _first_row(csv_file, shown_as)
    if missing := [column for column in table.columns if column not in header]:
        others = [name for name in header if name not in table.columns]
        raise SourceError(
            f"{shown_as}: column '{missing[0]}' is missing; the file has {', '.join(header)}."
            f"{_rename(others, missing[0])} The columns must be {', '.join(table.columns)}."
        )
    if twice := [column for column in header if header.count(column) > 1]:
        raise SourceError(f"{shown_as}: column '{twice[0]}' is there {header.count(twice[0])} times. Keep one of them.")
    return header


def _first_row(csv_file: Path, shown_as: str) -> list[str]:
    with csv_file.open("rb") as file:
        line = file.read(_HEADER_BYTES).split(b"\n", 1)[0]
    try:
        text = line.decode("utf-8-sig").strip("\r")
    except UnicodeDecodeError as error:
        raise SourceError(f"{shown_as}: {not_utf8(1, line[error.start])}") from error
    if not text:
        raise SourceError(f"{shown_as}: the file is empty. Re-download it.")
    return next(csv.reader([text]))


def _rename(others: Sequence[str], column: str) -> str:
    near = difflib.get_close_matches(column, others, n=1)
    return f" Rename '{near[0]}' to '{column}'." if near else ""


def _scan(csv_file: Path, table: Table, header: Sequence[str]) -> pl.LazyFrame:
    return pl.scan_csv(csv_file, schema=types_as_read(table, header), glob=False).select(typed_columns(table))


def _explain(csv_file: Path, table: Table, header: Sequence[str], shown_as: str, otherwise: str) -> str:
    offence = first_offence(csv_file, table, header)
    if offence is None:
        return f"{shown_as}: the file cannot be read as CSV ({otherwise.splitlines()[0]}). Re-download the file."
    return f"{shown_as}: {offence}"
