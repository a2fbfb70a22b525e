"""What an entry point needs, from the nearest place that has it: the local cache, the tracking store, or made now.

Each step is named by the fingerprint of what goes into it (source, parameters, code), so the same question asked twice
is answered once, and a changed one is never answered with an old result. A step that is made for another entry point
gets a run of its own beside that one's: the next who needs it, here or on another machine, finds it there.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from cache import Cache
from entrypoints.data.own import own_rows
from entrypoints.data.records import FEATURES, FEATURIZE, INGEST, log_features, log_tables
from entrypoints.data.rows import Rows, featured_rows
from entrypoints.parameters import FeaturizeParams, IngestParams, SweepParams
from entrypoints.terminal.results import show_row
from entrypoints.terminal.stages import stages
from entrypoints.terminal.tally import duration
from errors import SpecError
from features import FeatureMatrix, build, features_fingerprint, parse_feature_sets
from features.featurizer import VOCABULARIES, Featurizer
from sources import Source, Tables, ingest, source_from
from sources.schema import TABLES
from tracking import EntryRun, steps
from tuning import SweepSpec

REUSED = "reused from the cache"


def tables_for(params: IngestParams, run: EntryRun, apart: bool = True) -> Tables:
    """Return the tables that `params` name, made or found, and say which.

    With `apart`, tables made now are recorded on a run beside `run`; without, recording is the caller's affair.
    """
    began = time.monotonic()
    tables = ingest(source_of(params), Cache.from_environment())
    if apart and not tables.reused:
        with steps.made_for(run, INGEST, tables.fingerprint, time.monotonic() - began) as step:
            log_tables(step, tables)
    rows = tables.manifest.rows
    what = f"{rows['gender_age_train']:,} labelled devices, {rows['events']:,} events"
    _say("tables", tables.fingerprint, REUSED if tables.reused else _made_since(began), what)
    return tables


def features_for(params: FeaturizeParams, run: EntryRun, apart: bool = True) -> FeatureMatrix:
    """Return the features that `params` ask for, made or found, and say which; `apart` as in `tables_for`."""
    feature_sets = parse_feature_sets(params.feature_sets)
    tables = tables_for(params, run)
    began = time.monotonic()
    fingerprint = features_fingerprint(
        tables.fingerprint, feature_sets, params.holdout, params.seed, params.min_devices
    )
    cache = Cache.from_environment()
    how = REUSED
    if not cache.find(FEATURES, fingerprint):
        with cache.publish(FEATURES, fingerprint) as folder:
            how = _fetch(run, fingerprint, folder)
            if not how:
                _make(params, feature_sets, tables, fingerprint, folder)
                how = _made_since(began)
                if apart:
                    with steps.made_for(run, FEATURIZE, fingerprint, time.monotonic() - began) as step:
                        log_features(step, folder)
    matrix = FeatureMatrix.load(cache.path(FEATURES, fingerprint))
    _say(FEATURES, fingerprint, how, f"{matrix.X.shape[0]:,} devices x {matrix.X.shape[1]:,} columns")
    return matrix


def rows_for(params: SweepParams, spec: SweepSpec, run: EntryRun) -> tuple[SweepSpec, Rows]:
    """Return the rows to sweep over, of a table of the person's own or of features of the data, and the spec for them.

    A table of one's own is read where it is, so nothing of it is cached or recorded as a step.
    """
    if params.features:
        with stages("rows") as begin:
            begin(f"reading {params.features}")
            spec, rows = own_rows(params, spec)
        _say(FEATURES, rows.fingerprint, f"read from {rows.source}", rows.about)
        return spec, rows
    for name in ("target", "groups", "weights"):
        if value := getattr(params, name):
            raise SpecError(f"-P {name}={value} is a column of your own table. Name the table: -P features=FILE.")
    if spec.cv.column is not None:
        raise SpecError(
            f"cv.column: {spec.cv.column} is to be a column of your own table. Name the table, -P features=FILE, "
            "or leave the key out."
        )
    matrix = features_for(params, run)
    with stages("rows") as begin:
        begin("reading the features")
        return spec, featured_rows(matrix, params.data, featurizer_for(params, matrix))


def featurizer_for(params: IngestParams, matrix: FeatureMatrix) -> Featurizer:
    """Return what makes rows of other devices as those of `matrix` were made, whose tables are in the cache by now."""
    tables = ingest(source_of(params), Cache.from_environment())
    return Featurizer.of(matrix, {name: tables.scan(name) for name in VOCABULARIES})


def source_of(params: IngestParams) -> Source:
    """Return the source that `params` name."""
    return source_from(params.data, scale=params.scale, seed=params.seed, leak=params.leak)


def _fetch(run: EntryRun, fingerprint: str, folder: Path) -> str:
    """Bring the features from the run that has made them into `folder`; empty where there is none."""
    step_id = steps.find(run, FEATURIZE, fingerprint)
    return f"fetched from run {step_id}" if step_id and steps.fetch(run, step_id, FEATURES, folder) else ""


def _make(params: FeaturizeParams, feature_sets: Sequence[str], tables: Tables, fingerprint: str, folder: Path) -> None:
    with stages("features") as progress:
        matrix = build(
            {name: tables.scan(name) for name in TABLES},
            feature_sets,
            holdout=params.holdout,
            seed=params.seed,
            min_devices=params.min_devices,
            fingerprint=fingerprint,
            progress=progress,
        )
        matrix.save(folder)


def _made_since(began: float) -> str:
    return f"made in {duration(time.monotonic() - began)}"


def _say(step: str, fingerprint: str, how: str, what: str) -> None:
    show_row(step, f"{fingerprint}: {how} ({what})")
