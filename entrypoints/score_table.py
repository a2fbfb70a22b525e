"""Predictions for the rows of a person's own table, some at a time: memory does not grow with the file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl

from entrypoints.predictions import predictions_file
from entrypoints.progress import stages
from errors import SpecError
from sources.own_batches import table_file
from sources.own_file import TABLES, digest_of, existing, table_name
from sources.own_table import read_matrix
from tracking import EntryRun, InputTable
from tracking.loading import TableModel

BATCH = 40_000
"""Rows at a time."""


def score_table(model: TableModel, file: str, output: Path, run: EntryRun) -> tuple[int, str]:
    """Write what `model` predicts for each row of `file`, and return how many rows there are, and the word for them.

    Raises
    ------
    SpecError
        `file` is not the name of a table.
    SourceError
        The file lacks a column, or a row is not what the model takes.
    """
    if file == "synthetic":
        raise SpecError(
            f"{model.uri} takes the columns of a table, not devices. Name its rows: -P data=FILE, with {TABLES}."
        )
    done = 0
    with predictions_file(output) as write, stages("score") as progress:
        for rows in batches_for(model, file):
            write(_as_written(model.predict(rows, file)))
            done += rows.shape[0]
            progress(f"{done:,} rows")
    path, _ = existing(file, "data", sparse=True)
    digest = digest_of(path, file)
    run.log_datasets([InputTable(table_name(file), digest, file, done, context="scoring")])
    return done, "rows"


def batches_for(model: TableModel, file: str) -> Iterator[Any]:
    """Yield the rows of `file` as `model` takes them."""
    if not model.takes_matrix:
        table = table_file(file, "data")
        table.require(model.columns, model.uri)
        yield from table.batches(model.columns, model.texts, BATCH)
        return
    matrix = read_matrix(file, "data")
    learned = getattr(model.model.estimator, "n_features_in_", matrix.shape[1])
    if matrix.shape[1] != learned:
        raise SpecError(
            f"-P data={file}: the matrix has {matrix.shape[1]:,} columns, and {model.uri} takes {learned:,}. Give rows "
            "with the columns of the matrix that it learned from."
        )
    for start in range(0, matrix.shape[0], BATCH):
        yield matrix[start : start + BATCH]


def _as_written(predicted: pd.DataFrame) -> pl.DataFrame:
    return pl.DataFrame({name: predicted[name].to_numpy() for name in predicted.columns}, strict=False)
