"""The file of predictions: written batch by batch, and in its place only when it is whole.

CSV is the competition's format, which is ``device_id`` and a column for each group; Parquet has the same columns.
Values are written with the digits that they have in float32, no more, where the model computes in float32.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow.parquet as pq

from cache import as_umask_grants
from errors import SpecError

Write = Callable[[pl.Series, pd.DataFrame], object]

DEVICE = "device_id"
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
    return path


@contextmanager
def predictions_file(path: Path, classes: Sequence[str]) -> Iterator[Write]:
    """Give a function that adds a batch: the devices, and a probability in each of the columns `classes`.

    Nothing is at `path` that was not there before until the block has succeeded.
    """
    schema: dict[str, pl.DataType] = {DEVICE: pl.Int64(), **dict.fromkeys(classes, pl.Float64())}
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".unfinished-", suffix=path.suffix)
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as file, _writer(path.suffix, file, pl.DataFrame(schema=schema)) as write:
            yield lambda devices, values: write(_frame(devices, values, schema))
        as_umask_grants(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _frame(devices: pl.Series, values: pd.DataFrame, schema: dict[str, pl.DataType]) -> pl.DataFrame:
    columns = {name: values[name].to_numpy() for name in schema if name != DEVICE}
    return pl.DataFrame({DEVICE: devices, **columns}, schema=schema)


@contextmanager
def _writer(suffix: str, file: Any, empty: pl.DataFrame) -> Iterator[Callable[[pl.DataFrame], object]]:
    if suffix == ".csv":
        empty.write_csv(file)
        yield lambda frame: _as_short_as_exact(frame).write_csv(file, include_header=False)
        return
    with pq.ParquetWriter(file, empty.to_arrow().schema) as writer:
        yield lambda frame: writer.write_table(frame.to_arrow())


def _as_short_as_exact(frame: pl.DataFrame) -> pl.DataFrame:
    values = pl.selectors.float()
    short = frame.with_columns(values.cast(pl.Float32))
    return short if short.with_columns(values.cast(pl.Float64)).equals(frame) else frame
