"""Predict with a registered model: the group of every device of gender_age_test, or the rows of a table."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import polars as pl

from entrypoints.command.entry import entrypoint
from entrypoints.data.pipeline import tables_for
from entrypoints.data.records import log_scored, scored_devices
from entrypoints.parameters import ScoreParams
from entrypoints.scoring.predictions import check_output, predictions_file
from entrypoints.scoring.score_table import score_table
from entrypoints.scoring.watched import Drift, Outcomes
from entrypoints.terminal.results import show_row
from entrypoints.terminal.stages import stages
from entrypoints.terminal.tally import duration
from errors import SpecError
from sources import Tables
from sources.frame_file import read_frame
from sources.own_batches import table_file
from sources.own_file import existing
from sources.schema import DEVICE, TABLES
from tracking import EntryRun
from tracking.loading import DeviceModel, TableModel, load

BATCH = 40_000
"""Devices at a time. Memory depends on it; each batch reads all events once, which takes seconds on full-size data."""


@entrypoint("score")
def score(params: ScoreParams, run: EntryRun) -> None:
    """Write the predictions of a registered model: a row for each device, or for each row of a table."""
    output = check_output(params.output)
    model = load(params.model)
    began = time.monotonic()
    if isinstance(model, TableModel):
        n_rows, what = score_table(model, params.data, params.labels, output, run)
    else:
        n_rows, what = _score_devices(model, params, output, run), "devices"
    took = time.monotonic() - began
    log_scored(run, model.uri, {what: n_rows, "seconds": took})
    show_row("scored", f"{n_rows:,} {what} with {params.model} in {duration(took)}: {output}")


def _score_devices(model: DeviceModel, params: ScoreParams, output: Path, run: EntryRun) -> int:
    if Path(params.data).expanduser().is_file():
        raise SpecError(
            f"-P data={params.data}: {model.uri} takes devices, and this is a file. Name a folder of the seven tables, "
            "or a model of a table."
        )
    labels = labels_of_devices(params.labels)
    tables = tables_for(params, run)
    drift, outcomes = Drift(model), None if labels is None else Outcomes(model, list(labels.columns), params.labels)
    devices, scans = devices_to_score(tables), {name: tables.scan(name) for name in TABLES}
    with predictions_file(output) as write, stages("score") as progress:
        for start in range(0, max(len(devices), 1), BATCH):
            progress(f"{start:,} of {len(devices):,} devices")
            batch = devices.slice(start, BATCH)
            X = model.model.preparation.transform(batch, scans)
            write(device_rows(batch, model.model.predict_matrix(X), model.classes))
            drift.add(X)
            if outcomes and labels is not None:
                outcomes.add(X, labels.reindex(batch.to_numpy()))
        if outcomes:
            outcomes.conclude(run)
    drift.conclude(output, run)
    run.log_datasets([scored_devices(tables)])
    return len(devices)


def labels_of_devices(given: str) -> pd.DataFrame | None:
    """Read ``FILE:COLUMN``, a table of devices and what became true of them.

    Returns
    -------
    DataFrame or None
        The column, by device; None where nothing is given.

    Raises
    ------
    SourceError
        There is no such file or column.
    """
    if not given:
        return None
    file, _, column = given.rpartition(":")
    if not file:
        raise SpecError(f"-P labels={given}: expected FILE:COLUMN, a table with {DEVICE} and what became true.")
    table_file(file, "labels").require([DEVICE, column], f"-P labels={given}")
    path, _ = existing(file, "labels", sparse=False)
    frame = read_frame(path, file, column).drop_duplicates(DEVICE)
    return frame.set_index(DEVICE)[[column]]


def device_rows(devices: pl.Series, values: pd.DataFrame, classes: Sequence[str]) -> pl.DataFrame:
    """Return the rows of the file of predictions for `devices`."""
    return pl.DataFrame({DEVICE: devices, **{name: values[name].to_numpy() for name in classes}})


def devices_to_score(tables: Tables) -> pl.Series:
    """Return the devices of gender_age_test, each where it is first listed."""
    listed = tables.scan("gender_age_test").select(DEVICE).collect()
    return listed.unique(maintain_order=True)[DEVICE]


if __name__ == "__main__":
    score.main()
