"""Find the first cell of a CSV file that is not what the schema says.

Runs only once a file is known to be bad. The file is cut into blocks at row ends and each block parsed by Polars; only
the first that fails is gone through row by row in Python, so a bad cell at the end of a gigabyte is still found in
seconds.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from sources.cells import typed_columns, types_as_read
from sources.schema import TIMESTAMP_FORMAT, TIMESTAMP_LENGTH, Table

_BLOCK_BYTES = 1 << 24
_LONGEST_ROW = 1 << 20
_BITS: Mapping[pl.DataType, int] = {pl.Int8(): 8, pl.Int16(): 16, pl.Int32(): 32, pl.Int64(): 64}
_INTEGER = re.compile(r"[ ]*[+-]?[0-9]+")
_REMEDY = "Re-download the file, or fix the row."

Check = Callable[[str], str | None]


def first_offence(csv_file: Path, table: Table, header: Sequence[str]) -> str | None:
    """Say what is wrong with the first offending row, starting with its line number.

    Parameters
    ----------
    csv_file : Path
        With a header line.
    table : Table
        What it should be.
    header : sequence of str
        Its column names, the table's among them.

    Returns
    -------
    str or None
        ``line 4,031: timestamp '03.05.16 10:20' is not 'YYYY-MM-DD HH:MM:SS'. Re-download ...``; None if every row
        seems right.
    """
    for first_line, block in _blocks(csv_file):
        if not _parses(block, table, header):
            offence = _not_text(first_line, block) or _bad_row(first_line, block.decode("utf-8"), table, header)
            if offence:
                return offence
    return None


def not_utf8(line: int, byte: int) -> str:
    """Say that `byte` in `line` is not text."""
    return f"line {line:,}: byte 0x{byte:02x} is not UTF-8 text. Save the file as UTF-8."


def _blocks(csv_file: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the rows below the header in blocks of whole rows, each with the number of its first line."""
    with csv_file.open("rb") as file:
        file.readline()
        line = 2
        while block := _read_block(file):
            yield line, block
            line += block.count(b"\n")


def _read_block(file: io.BufferedReader) -> bytes:
    """A newline ends a row only outside quotes; a quote that is not closed within a megabyte never was one."""
    block = file.read(_BLOCK_BYTES) + file.readline()
    while block.count(b'"') % 2 and len(block) < _BLOCK_BYTES + _LONGEST_ROW:
        line = file.readline()
        if not line:
            break
        block += line
    return block


def _parses(block: bytes, table: Table, header: Sequence[str]) -> bool:
    """Whether Polars reads the block with the table's types and finds no cell empty that may not be."""
    try:
        as_read = pl.read_csv(block, has_header=False, schema=types_as_read(table, header))
        empty = as_read.select(typed_columns(table)).null_count()
    except pl.exceptions.PolarsError:
        return False
    return not any(empty[name][0] for name in table.columns if name not in table.nullable)


def _not_text(first_line: int, block: bytes) -> str | None:
    try:
        block.decode("utf-8")
    except UnicodeDecodeError as error:
        return not_utf8(first_line + block.count(b"\n", 0, error.start), block[error.start])
    return None


def _bad_row(first_line: int, text: str, table: Table, header: Sequence[str]) -> str | None:
    checks: Mapping[str, Check] = {name: _check_of(dtype) for name, dtype in table.columns.items()}
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = first_line
    try:
        for row in rows:
            if offence := _bad_cell(row, header, checks, table.nullable):
                return f"line {line:,}: {offence}"
            line = first_line + rows.line_num
    except csv.Error as error:
        return f"line {line:,}: the row cannot be read ({error}). {_REMEDY}"
    return None


def _bad_cell(
    row: Sequence[str], header: Sequence[str], checks: Mapping[str, Check], nullable: frozenset[str]
) -> str | None:
    if not row:
        return "the line is empty. Remove it."
    if len(row) != len(header):
        cut = "The file may have been cut off. " if len(row) < len(header) else ""
        return f"{len(row)} cells where the header has {len(header)}. {cut}{_REMEDY}"
    for name, cell in zip(header, row, strict=True):
        if name not in checks:
            continue
        if not cell and name not in nullable:
            return f"{name} is empty. {_REMEDY}"
        if cell and (wrong := checks[name](cell)):
            return f"{name} {_shown(cell)} {wrong}. {_REMEDY}"
    return None


def _shown(cell: str) -> str:
    return repr(cell if len(cell) <= 40 else cell[:39] + "…")


def _check_of(dtype: pl.DataType) -> Check:
    if isinstance(dtype, pl.Datetime):
        return _not_a_timestamp
    if dtype in _BITS:
        return _not_an_integer_of(_BITS[dtype])
    return _not_a_number if dtype.is_float() else lambda cell: None


def _not_a_timestamp(cell: str) -> str | None:
    try:
        datetime.strptime(cell, TIMESTAMP_FORMAT)
    except ValueError:
        return "is not 'YYYY-MM-DD HH:MM:SS'"
    return None if len(cell) == TIMESTAMP_LENGTH else "is not 'YYYY-MM-DD HH:MM:SS'"


def _not_an_integer_of(bits: int) -> Check:
    def check(cell: str) -> str | None:
        if not _INTEGER.fullmatch(cell):
            return "is not a whole number, written out in full"
        return None if -(2 ** (bits - 1)) <= int(cell) < 2 ** (bits - 1) else f"does not fit in {bits} bits"

    return check


def _not_a_number(cell: str) -> str | None:
    try:
        float(cell)
    except ValueError:
        return "is not a number"
    return None
