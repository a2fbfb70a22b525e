"""What the steps leave on their runs."""

from __future__ import annotations

from pathlib import Path

from cache import fingerprint
from entrypoints.parameters import SweepParams
from features import FeatureMatrix
from sources import Tables
from sources.schema import TABLES
from sources.tables import MANIFEST
from tracking import EntryRun, Table
from tuning import SweepSpec

INGEST, FEATURIZE = "ingest", "featurize"
FEATURES = "features"


def log_tables(run: EntryRun, tables: Tables) -> None:
    """Record the tables: their manifest, and each of them as a dataset input."""
    run.log_file(tables.path / MANIFEST)
    run.log_datasets(
        Table(
            name=name,
            digest=record.sha256,
            source=tables.manifest.source,
            n_rows=record.rows,
            columns={column: str(kind) for column, kind in TABLES[name].columns.items()},
        )
        for name, record in tables.manifest.tables.items()
    )


def log_features(run: EntryRun, folder: Path) -> None:
    """Record the matrix that was saved in `folder`."""
    run.log_folder(folder, FEATURES)


def log_request(run: EntryRun, params: SweepParams, spec: SweepSpec, matrix: FeatureMatrix) -> None:
    """Record what a sweep was asked to do, before it begins: the spec, the strategy, the rows to learn from."""
    name = str(matrix.manifest["fingerprint"])
    asked = fingerprint(spec=spec.model_dump(mode="json"), features=name)
    run.log_params({"strategy": spec.search.strategy})
    run.set_tags({"sweep.features": name, "sweep.fingerprint": asked})
    run.log_file(Path(params.space))
    run.log_datasets(
        Table(f"{FEATURES}-{context}", name, params.data, len(rows), context=context)
        for context, rows in (("training", matrix.train_rows), ("holdout", matrix.holdout_rows))
        if len(rows)
    )
