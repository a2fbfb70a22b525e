"""What the steps leave on their runs."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from cache import fingerprint
from entrypoints.data.rows import Rows
from entrypoints.parameters import SweepParams
from sources import Tables
from sources.schema import TABLES
from sources.tables import MANIFEST
from tracking import EntryRun, InputTable
from tracking.continued import FINGERPRINT
from tracking.swept import CLASSES, FEATURES_OF, FOLDS, ROWS, SCORER, TARGET, TEST_SHARE, VERSIONS
from tuning import SweepResult, SweepSpec
from tuning.content import classes_digest, folds_digest
from tuning.folds import make_folds, share_tested
from tuning.spec.modules import modules_named
from tuning.versions import ALWAYS, versions

INGEST, FEATURIZE = "ingest", "featurize"
FEATURES = "features"
SCORED = "gender_age_test"


def log_tables(run: EntryRun, tables: Tables) -> None:
    """Record the tables: their manifest, and each of them as a dataset input."""
    run.log_file(tables.path / MANIFEST)
    run.log_datasets(
        InputTable(
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


def log_request(run: EntryRun, spec: SweepSpec, rows: Rows, target: str) -> None:
    """Record what a sweep was asked to do, before it begins: the strategy, and the rows to learn `target` from."""
    decides = spec.model_dump(mode="json", exclude={"budget", "verify", "keep", "audit"})  # which decide no cell
    asked = fingerprint(spec=decides, features=rows.fingerprint)
    run.log_params({"strategy": spec.search.strategy})
    run.set_tags({FEATURES_OF: rows.fingerprint, FINGERPRINT: asked} | _compared_by(spec, rows, target))
    run.log_datasets(
        InputTable(f"{rows.name}-{context}", rows.fingerprint, rows.source, part.n_rows, rows.schema, context)
        for context, part in (("training", rows.train), ("holdout", rows.holdout))
        if part is not None
    )


def _compared_by(spec: SweepSpec, rows: Rows, target: str) -> dict[str, str]:
    """What tells whether this sweep and another can be held against each other, and why they may differ."""
    folds = make_folds(spec.cv, rows.train)
    used = modules_named(spec.model_dump())
    return {
        TARGET: target,
        CLASSES: classes_digest(rows.train),
        FOLDS: folds_digest(rows.train, folds),
        TEST_SHARE: f"{share_tested(folds):.8g}",
        SCORER: spec.refit_scorer,
        ROWS: str(rows.train.n_rows),
        VERSIONS: json.dumps({"python": platform.python_version(), **versions([*ALWAYS, *used])}),
    }


def log_scored(run: EntryRun, model: str, metrics: Mapping[str, float]) -> None:
    """Record which model has predicted, for how many, in what time."""
    run.set_tags({"scored.model": model})
    run.log_metrics(metrics)


def scored_devices(tables: Tables) -> InputTable:
    """Return the table of the devices to score as a run's input."""
    record = tables.manifest.tables[SCORED]
    return InputTable(SCORED, record.sha256, tables.manifest.source, record.rows, context="scoring")


def given_up(params: SweepParams, result: SweepResult) -> SweepResult:
    """Add to what the sweep gave up for speed what the features did, so that the report names all of it."""
    if params.features or params.min_devices == 1:
        return result
    said = f"min_devices {params.min_devices} leaves out the features of fewer devices"
    return replace(result, approximations=[*result.approximations, said])
