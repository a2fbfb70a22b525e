"""How the cells of a CSV file become the schema's types, in Polars' terms: strictly, or as an empty cell.

Times are read as text and parsed here, because Polars guesses at their form when it reads them itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from sources.schema import TIMESTAMP_FORMAT, TIMESTAMP_LENGTH, Table


def types_as_read(table: Table, header: Sequence[str]) -> dict[str, pl.DataType]:
    """Return the type to read each column of the file with: text for times and for columns that the table lacks."""
    return {name: _type_as_read(table.columns.get(name)) for name in header}


def _type_as_read(dtype: pl.DataType | None) -> pl.DataType:
    return pl.String() if dtype is None or isinstance(dtype, pl.Datetime) else dtype


def typed_columns(table: Table) -> Iterator[pl.Expr]:
    """Yield the table's columns in their types, from a frame read with ``types_as_read``; a bad time becomes null."""
    for name, dtype in table.columns.items():
        yield _time(name, dtype) if isinstance(dtype, pl.Datetime) else pl.col(name)


def _time(name: str, dtype: pl.Datetime) -> pl.Expr:
    # The parser alone would read '16-05-01 10:20:00' as the year 16, hence the length.
    whole = pl.when(pl.col(name).str.len_bytes() == TIMESTAMP_LENGTH).then(pl.col(name))
    # Hardly two of a table's times are alike, so remembering them costs more than it saves.
    return whole.str.to_datetime(TIMESTAMP_FORMAT, time_unit=dtype.time_unit, strict=False, cache=False).alias(name)
