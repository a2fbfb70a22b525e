"""Predictions for the rows of a person's own table, some at a time: memory does not grow with the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl

from entrypoints.scoring.predictions import predictions_file
from entrypoints.scoring.watched import Drift, Outcomes
from entrypoints.terminal.stages import stages
from errors import SpecError
from sources.own_batches import table_file
from sources.own_file import TABLES, digest_of, existing, table_name
from sources.own_table import read_matrix
from sources.target_columns import target_columns
from tracking import EntryRun, InputTable
from tracking.loading import TableModel

BATCH = 40_000
"""Rows at a time."""


def score_table(model: TableModel, file: str, labels: str, output: Path, run: EntryRun) -> tuple[int, str]:
    """Write what `model` predicts for each row of `file`, and return how many rows there are, and the word for them.

    Parameters
    ----------
    model : TableModel
    file : str
    labels : str
        The column, or columns, in which the truth stands; empty where it is not known.
    output : Path
    run : EntryRun

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
    if model.takes_matrix and labels:
        raise SpecError(f"-P labels={labels}: a matrix has no columns with names. Leave it out.")
    done, drift, outcomes = 0, Drift(model), None
    with predictions_file(output) as write, stages("score") as progress:
        for rows, truth in batches_for(model, file, labels):
            write(_as_written(model.predict(rows, file)))
            drift.add(rows)
            if truth is not None:
                outcomes = outcomes or Outcomes(model, list(truth.columns), file)
                outcomes.add(model.model.as_trained(rows), truth)
            done += rows.shape[0]
            progress(f"{done:,} rows")
        if outcomes:
            outcomes.conclude(run)
    drift.conclude(output, run)
    path, _ = existing(file, "data", sparse=True)
    digest = digest_of(path, file)
    run.log_datasets([InputTable(table_name(file), digest, file, done, context="scoring")])
    return done, "rows"


def batches_for(model: TableModel, file: str, labels: str) -> Iterator[tuple[Any, pd.DataFrame | None]]:
    """Yield the rows of `file` as `model` takes them, and what is true of them."""
    if not model.takes_matrix:
        table = table_file(file, "data")
        table.require(model.columns, model.uri)
        names = _label_columns(model, labels, table.columns)
        table.require(names, f"-P labels={labels}")
        for rows in table.batches([*model.columns, *names], model.texts, BATCH):
            yield rows[list(model.columns)], rows[names] if names else None
        return
    matrix = read_matrix(file, "data")
    learned = getattr(model.model.estimator, "n_features_in_", matrix.shape[1])
    if matrix.shape[1] != learned:
        raise SpecError(
            f"-P data={file}: the matrix has {matrix.shape[1]:,} columns, and {model.uri} takes {learned:,}. Give rows "
            "with the columns of the matrix that it learned from."
        )
    for start in range(0, matrix.shape[0], BATCH):
        yield matrix[start : start + BATCH], None


def _label_columns(model: TableModel, labels: str, columns: Sequence[str]) -> list[str]:
    """Return the columns of labels.

    Raises
    ------
    SpecError
        They are not as many as the model predicts, or it learns from one of them.
    """
    names = target_columns(labels, columns) if labels else []
    n_targets = len(model.model.targets) or 1
    if names and len(names) != n_targets:
        raise SpecError(f"-P labels={labels}: {model.uri} predicts {n_targets}, and these are {len(names)}.")
    if used := [name for name in names if name in model.columns]:
        raise SpecError(f"-P labels={labels}: {model.uri} predicts from column '{used[0]}'. Name what it predicts.")
    return names


def _as_written(predicted: pd.DataFrame) -> pl.DataFrame:
    return pl.DataFrame({name: predicted[name].to_numpy() for name in predicted.columns}, strict=False)
