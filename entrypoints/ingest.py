"""Bring the seven tables into the cache, checked and typed."""

from __future__ import annotations

from entrypoints.command.entry import entrypoint
from entrypoints.data.pipeline import tables_for
from entrypoints.data.records import INGEST, log_tables
from entrypoints.parameters import IngestParams
from tracking import EntryRun, steps


@entrypoint("ingest")
def ingest(params: IngestParams, run: EntryRun) -> None:
    """Read the seven tables, check them, and keep them in the cache."""
    tables = tables_for(params, run, apart=False)
    steps.mark(run, INGEST, tables.fingerprint)
    log_tables(run, tables)


if __name__ == "__main__":
    ingest.main()
