"""The seven files, wherever they lie on disk, and their way into typed tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sources.archive import plain_csv
from sources.csv_tables import write_table
from sources.parquet import row_count
from sources.progress import Progress
from sources.schema import TABLES, Table

SUFFIXES = (".csv", ".csv.zip")


@dataclass(frozen=True)
class InputFile:
    """One of the seven files.

    Attributes
    ----------
    table : Table
        What it holds.
    path : Path
        Where it is on this machine, as ``.csv`` or ``.csv.zip``.
    shown_as : str
        What the person calls it.
    """

    table: Table
    path: Path
    shown_as: str


def names_of(table: Table) -> list[str]:
    """Return the names that the table's file may have, the preferred one first."""
    return [table.name + suffix for suffix in SUFFIXES]


def write_tables(files: Sequence[InputFile], folder: Path, progress: Progress) -> dict[str, int]:
    """Write each file's table into `folder`, smallest file first, so that most mistakes show at once.

    Returns
    -------
    dict of str to int
        Rows of each table, in the order of the schema.

    Raises
    ------
    SourceError
        A file is not what its table should be.
    """
    rows = dict.fromkeys(TABLES, 0)
    sizes = {file.table.name: file.path.stat().st_size for file in files}
    with progress.step("Reading the tables", sum(sizes.values()), "bytes") as advance:
        for file in sorted(files, key=lambda file: sizes[file.table.name]):
            with plain_csv(file.path, f"{file.table.name}.csv", folder, file.shown_as) as csv_file:
                rows[file.table.name] = row_count(write_table(csv_file, file.table, folder, file.shown_as))
            advance(sizes[file.table.name])
    return rows
