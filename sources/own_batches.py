"""Read a person's own table some rows at a time, so that memory does not grow with the file.

A CSV file has no types, and pandas guesses at those of each batch anew. So the columns that are known to hold text are
read as text: '007' among digits alone would come as the number 7, and be another category.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from errors import SourceError, did_you_mean
from sources.dialect import decimal_sign
from sources.frame_file import check_rows, csv_header, parquet_parts, refused_garbage
from sources.own_file import CSV, SPARSE, existing, opened_text

_SHOWN = 3


@dataclass(frozen=True)
class TableFile:
    """A table on disk whose header has been read.

    Attributes
    ----------
    path : Path
    shown_as : str
        What the person calls it.
    is_csv : bool
    columns : sequence of str
        Names, in the order of the file.
    """

    path: Path
    shown_as: str
    is_csv: bool
    columns: Sequence[str]

    def require(self, needed: Sequence[str], by: str) -> None:
        """Refuse a file that lacks some of the columns `needed`.

        Parameters
        ----------
        needed : sequence of str
        by : str
            Who needs them.

        Raises
        ------
        SourceError
        """
        missing = [name for name in needed if name not in self.columns]
        if not missing:
            return
        shown = ", ".join(f"'{name}'" for name in missing[:_SHOWN])
        more = f" and {len(missing) - _SHOWN:,} more" if len(missing) > _SHOWN else ""
        advice = did_you_mean(missing[0], self.columns) or (
            f" Give rows with the columns of the table that it learned from ({len(needed):,} columns)."
        )
        raise SourceError(f"{self.shown_as}: there is no column {shown}{more}, which {by} takes.{advice}")

    def batches(self, columns: Sequence[str], texts: Collection[str], n_rows: int) -> Iterator[pd.DataFrame]:
        """Yield the rows in their order, numbered from 1 in the index.

        Parameters
        ----------
        columns : sequence of str
            Which of the columns.
        texts : collection of str
            Those of them that hold text.
        n_rows : int
            How many at a time.

        Raises
        ------
        SourceError
            The file cannot be read, or has no rows.
        """
        done = 0
        read = self._csv(texts, n_rows) if self.is_csv else self._parquet(columns, n_rows)
        with refused_garbage(self.shown_as, self.is_csv):
            for frame in read:
                if len(frame):
                    frame = frame.rename(columns=str)[list(columns)]
                    yield frame.set_axis(pd.RangeIndex(done + 1, done + 1 + len(frame)), axis=0)
                    done += len(frame)
        check_rows(done, self.shown_as)

    def _csv(self, texts: Collection[str], n_rows: int) -> Iterator[pd.DataFrame]:
        _, delimiter = csv_header(self.path, self.shown_as)
        options = {"sep": delimiter, "dtype": dict.fromkeys(texts, str), "chunksize": n_rows}
        with self._csv_reader(options) as reader:
            first = next(iter(reader), pd.DataFrame())
        decimal = decimal_sign(first.drop(columns=list(texts), errors="ignore"), delimiter, self.shown_as)
        with self._csv_reader({**options, "decimal": decimal}) as reader:
            yield from reader

    @contextmanager
    def _csv_reader(self, options: dict[str, Any]) -> Iterator[Any]:
        with opened_text(self.path, self.shown_as) as file, warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # rows longer than the header would be cut
            yield pd.read_csv(file, index_col=False, low_memory=False, **options)

    def _parquet(self, columns: Sequence[str], n_rows: int) -> Iterator[pd.DataFrame]:
        for part in parquet_parts(self.path, self.shown_as):
            for batch in pq.ParquetFile(part).iter_batches(n_rows, columns=list(columns)):
                table = pa.Table.from_batches([batch])
                table.validate(full=True)  # else text that is no UTF-8 fails wherever it is read first
                yield table.to_pandas(ignore_metadata=True)  # of an index that pandas wrote, too, columns are asked for


def table_file(file: str, parameter: str) -> TableFile:
    """Return the table that a person named, its header read.

    Raises
    ------
    SourceError
        There is no such table, or its header cannot be read.
    """
    path, kind = existing(file, parameter, sparse=True)
    if kind == SPARSE:
        raise SourceError(
            f"-P {parameter}={file}: this is a matrix, and the model takes the columns of a table by their names."
        )
    is_csv = not path.is_dir() and kind == CSV
    with refused_garbage(file, is_csv):
        names = csv_header(path, file)[0] if is_csv else pq.read_schema(parquet_parts(path, file)[0]).names
    return TableFile(path, file, is_csv, [str(name) for name in names])
