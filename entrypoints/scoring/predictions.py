"""The file of predictions: written batch by batch, and in its place only when it is whole.

For devices that is the competition's format, ``device_id`` and a column for each group; for rows of a table what is
predicted, and no more: they keep their order. Parquet has the same columns as CSV. Values are written with the digits
that they have in float32, no more, where the model computes in float32.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from cache import as_umask_grants
from errors import SpecError

Write = Callable[[pl.DataFrame], object]

SUFFIXES = (".csv", ".parquet")


def check_output(output: str) -> Path:
    """Return the path, refused before any work where nothing could be written there.

    Raises
    ------
    SpecError
    """
    path = Path(output)
    if path.suffix not in SUFFIXES:
        raise SpecError(f"-P output={output}: expected a file that ends in {' or '.join(SUFFIXES)}.")
    if not path.parent.is_dir():
        raise SpecError(f"-P output={output}: there is no folder {path.parent}. Make it, or name another.")
    if not os.access(path.parent, os.W_OK):
        raise SpecError(f"-P output={output}: the folder {path.parent} cannot be written. Name another.")
    return path.absolute()  # `mlflow run` of a Git address works in a folder of its own, which a person is to find


@contextmanager
def predictions_file(path: Path) -> Iterator[Write]:
    """Give a function that adds a batch of rows, whose columns are those of the first.

    Nothing is at `path` that was not there before until the block has succeeded.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".unfinished-", suffix=path.suffix)
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as file, (_Csv if path.suffix == ".csv" else _Parquet)(file) as writer:
            yield writer.add
        as_umask_grants(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


class _Csv:
    def __init__(self, file: Any) -> None:
        self._file, self._begun = file, False

    def __enter__(self) -> _Csv:
        return self

    def __exit__(self, *raised: object) -> None:
        pass

    def add(self, frame: pl.DataFrame) -> None:
        _as_short_as_exact(frame).write_csv(self._file, include_header=not self._begun)
        self._begun = True


class _Parquet:
    def __init__(self, file: Any) -> None:
        self._file, self._writer = file, ExitStack()
        self._schema: Any = None
        self._write: Any = None

    def __enter__(self) -> _Parquet:
        return self

    def __exit__(self, *raised: object) -> None:
        self._writer.close()

    def add(self, frame: pl.DataFrame) -> None:
        table = frame.to_arrow()
        if self._schema is None:
            self._schema = table.schema
            self._write = self._writer.enter_context(pq.ParquetWriter(self._file, table.schema)).write_table
        self._write(table.cast(self._schema))


def _as_short_as_exact(frame: pl.DataFrame) -> pl.DataFrame:
    values = pl.selectors.float()
    short = frame.with_columns(values.cast(pl.Float32))
    return short if short.with_columns(values.cast(pl.Float64)).equals(frame) else frame
