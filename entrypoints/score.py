"""Predict the group of every device of gender_age_test with a registered model."""

from __future__ import annotations

import time

import polars as pl

from entrypoints.command import entrypoint
from entrypoints.parameters import ScoreParams
from entrypoints.pipeline import tables_for
from entrypoints.predictions import DEVICE, check_output, predictions_file
from entrypoints.progress import stages
from entrypoints.records import log_scored
from entrypoints.tally import duration
from entrypoints.terminal.results import show_row
from sources import Tables
from sources.schema import TABLES
from tracking import EntryRun
from tracking.loading import load

BATCH = 40_000
"""Devices at a time. Memory depends on it; each batch reads all events once, which takes seconds on full-size data."""


@entrypoint("score")
def score(params: ScoreParams, run: EntryRun) -> None:
    """Write a row of probabilities for each device, in the order of the file."""
    output = check_output(params.output)
    model = load(params.model)
    tables = tables_for(params, run)
    devices, scans = devices_to_score(tables), {name: tables.scan(name) for name in TABLES}
    began = time.monotonic()
    with predictions_file(output, model.classes) as write, stages("score") as progress:
        for start in range(0, len(devices), BATCH):
            progress(f"{start:,} of {len(devices):,} devices")
            batch = devices.slice(start, BATCH)
            write(batch, model.model.predict_tables(batch, scans))
    took = time.monotonic() - began
    log_scored(run, model.uri, tables, len(devices), took)
    show_row("scored", f"{len(devices):,} devices with {params.model} in {duration(took)}: {output}")


def devices_to_score(tables: Tables) -> pl.Series:
    """Return the devices of gender_age_test, each where it is first listed."""
    listed = tables.scan("gender_age_test").select(DEVICE).collect()
    return listed.unique(maintain_order=True)[DEVICE]


if __name__ == "__main__":
    score.main()
