"""Features of tables that no single machine holds: read and joined by Spark, where they lie.

Nothing is ingested, so what names the tables is not their content but the list of their files with sizes and times.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cache
from cache import Cache
from entrypoints.data.records import FEATURES
from entrypoints.parameters import FeaturizeStepParams
from entrypoints.terminal.results import show_row
from entrypoints.terminal.stages import stages
from entrypoints.terminal.tally import duration
from errors import SpecError
from features import FeatureMatrix, features_fingerprint, parse_feature_sets
from features.spark import build_on_spark, files_of
from tuning.engines.spark import session as spark_session


def features_on_spark(params: FeaturizeStepParams) -> FeatureMatrix:
    """Return the features that `params` ask for, made on Spark or found in the cache, and say which.

    Raises
    ------
    SpecError
        The data are not files that Spark could read.
    EngineError
        There is no Spark.
    SourceError
        A table is missing or unreadable.
    """
    feature_sets = parse_feature_sets(params.feature_sets)
    if params.data == "synthetic":
        raise SpecError("-P engine=spark reads files. Name a folder that Spark reaches: -P data=abfss://... or a path.")
    spark_session.refuse_connect(params.master, "features")
    spark_session.check(params.master)
    began = time.monotonic()
    asked: dict[str, Any] = {"holdout": params.holdout, "seed": params.seed, "min_devices": params.min_devices}
    with _session(params.master) as session:
        tables = cache.fingerprint(files=files_of(session, params.data))
        name = features_fingerprint(tables, feature_sets, **asked)
        store = Cache.from_environment()
        found = store.find(FEATURES, name) is not None
        if not found:
            with store.publish(FEATURES, name) as folder, stages("features") as progress:
                made = build_on_spark(session, params.data, feature_sets, progress=progress, fingerprint=name, **asked)
                made.save(folder)
    matrix = FeatureMatrix.load(store.path(FEATURES, name))
    how = "reused from the cache" if found else f"made on Spark in {duration(time.monotonic() - began)}"
    show_row("features", f"{name}: {how} ({matrix.X.shape[0]:,} devices x {matrix.X.shape[1]:,} columns)")
    return matrix


@contextmanager
def _session(master: str) -> Iterator[Any]:
    """Give the session that exists, or one of our own that ends with the block."""
    existing = spark_session.existing()
    if existing is not None:
        yield existing
        return
    session = spark_session.start(master or None, 0)
    try:
        yield session
    finally:
        session.stop()
