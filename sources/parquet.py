"""How a typed table is written, and the checks that only a whole table can pass or fail.

lz4 costs nothing beside parsing CSV and halves the bytes (zstd, the default, doubles the time). The only statistic kept
is the count of empty cells, which makes the check for them free. Row groups of a million rows bound the memory of the
writer and of every later reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from errors import SourceError
from sources.schema import Table

WRITING: Mapping[str, Any] = {
    "compression": "lz4",
    "row_group_size": 1_000_000,
    "statistics": {"min": False, "max": False, "distinct_count": False, "null_count": True},
}


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
