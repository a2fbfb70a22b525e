"""How a typed table is written, and the checks that only a whole table can pass or fail.

lz4 costs nothing beside parsing CSV and halves the bytes (zstd, the default, doubles the time). The only statistic kept
is the count of empty cells, which makes the check for them free. Row groups of a million rows bound the memory of the
writer and of every later reader.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from errors import SourceError
from sources.schema import Table

_STATISTICS = {"min": False, "max": False, "distinct_count": False, "null_count": True}
_ROW_GROUP = 1_000_000
_SYSTEM_ERROR = re.compile(r"\(os error (\d+)\)")


def write(frame: pl.LazyFrame, path: Path) -> None:
    """Write `frame` to `path` as it is computed.

    Raises
    ------
    OSError
        The disk refused. Polars passes most of these on as its own errors, with the number in the text only.
    polars.exceptions.PolarsError
        The frame cannot be computed.
    """
    try:
        frame.sink_parquet(path, compression="lz4", row_group_size=_ROW_GROUP, statistics=_STATISTICS)
    except (pl.exceptions.PolarsError, OSError) as error:
        if refused := _SYSTEM_ERROR.search(str(error)):
            number = int(refused[1])
            raise OSError(number, os.strerror(number), str(path)) from error
        raise


def row_count(path: Path) -> int:
    """Rows of the Parquet file, from its footer."""
    rows: int = pq.read_metadata(path).num_rows
    return rows


def empty_cells(path: Path) -> dict[str, int]:
    """Empty cells of each column of the Parquet file, from its footer."""
    footer = pq.read_metadata(path)
    counts = dict.fromkeys(footer.schema.names, 0)
    for group in range(footer.num_row_groups):
        for column in range(footer.num_columns):
            chunk = footer.row_group(group).column(column)
            counts[chunk.path_in_schema] += chunk.statistics.null_count
    return counts


def check_whole(table: Table, path: Path, shown_as: str) -> None:
    """Check what no single row can tell: that there are rows, and more than one class to learn.

    Raises
    ------
    SourceError
        The table is empty, or has one class only.
    """
    if row_count(path) == 0:
        raise SourceError(f"{shown_as}: the table has a header but no rows. Re-download the file.")
    if "group" in table.columns:
        groups = pl.scan_parquet(path).select(pl.col("group").unique()).head(2).collect()["group"]
        if len(groups) < 2:
            raise SourceError(
                f"{shown_as}: every device is in group '{groups[0]}', and a classifier needs at least two groups. "
                "Use a file that lists devices of several groups."
            )
