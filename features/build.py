"""From the ingested tables to the feature matrix."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version

import numpy as np
import polars as pl

import cache
import features
from errors import GridfoldError
from features.block import Block, joined, without_rare_columns
from features.devices import labelled_devices
from features.feature_sets import FEATURE_SETS
from features.holdout import check_share, holdout_rows
from features.matrix import HOLDOUT, TRAIN, FeatureMatrix
from features.sets import Progress, feature_blocks

_VERSIONED = ("numpy", "polars", "scikit-learn", "scipy")


BlocksOf = Callable[[pl.Series, Mapping[str, pl.LazyFrame], Sequence[str], Progress], list[Block]]


def silent(stage: str) -> None:
    """Say nothing."""


def features_fingerprint(
    tables_fingerprint: str, feature_sets: Sequence[str], holdout: float, seed: int, min_devices: int = 1
) -> str:
    """Return the name of the matrix that `build` makes of such tables, asked for so, with this room's code."""
    return cache.fingerprint(
        tables=tables_fingerprint,
        feature_sets=list(feature_sets),
        holdout=float(holdout),
        seed=seed,
        min_devices=min_devices,
        code=cache.code_digest(features),
    )


def build(
    tables: Mapping[str, pl.LazyFrame],
    feature_sets: Sequence[str] = FEATURE_SETS,
    *,
    holdout: float = 0.1,
    seed: int = 0,
    min_devices: int = 1,
    fingerprint: str = "",
    progress: Progress = silent,
    blocks_of: BlocksOf = feature_blocks,
) -> FeatureMatrix:
    """Compute the features of the devices of gender_age_train.

    Parameters
    ----------
    tables : mapping of str to LazyFrame
        The seven tables by name, typed as in ``sources.schema``.
    feature_sets : sequence of str
        As from `parse_feature_sets`.
    holdout : float
        Share of the rows that no sweep will see, stratified by label; in [0, 1).
    seed : int
        Of the hold-out.
    min_devices : int
        Columns that fewer of the devices not held out have a value in are left out: fewer columns, faster fits,
        another model.
    fingerprint : str
        `features_fingerprint`, for the manifest.
    progress : callable
        Told what begins, as a short sentence.
    blocks_of : callable
        Computes the blocks, in place of `feature_blocks`.

    Returns
    -------
    FeatureMatrix
        Rows in file order; columns in the order of `FEATURE_SETS`, and within a set by kind and then by id or name.

    Raises
    ------
    GridfoldError
        The hold-out is impossible, the devices have no two groups or one device has two, or no column is left.
    """
    check_share(holdout)
    devices = labelled_devices(tables["gender_age_train"])
    held = holdout_rows(devices["label"].to_numpy(), holdout, seed)
    rows = devices.with_columns(split=pl.Series(np.where(held, HOLDOUT, TRAIN), dtype=pl.String))
    blocks = blocks_of(devices["device_id"], tables, feature_sets, progress)
    progress("Joining the feature sets")
    if min_devices > 1:
        blocks = [without_rare_columns(block, np.flatnonzero(~held), min_devices) for block in blocks]
    X, columns = joined(blocks), _columns(blocks)
    if min_devices > 1 and not len(columns):
        raise GridfoldError(f"min_devices: no feature is found in {min_devices} devices or more. Use a smaller number.")
    asked = {"feature_sets": list(feature_sets), "holdout": holdout, "seed": seed, "min_devices": min_devices}
    counts = _counts(X.nnz, rows, columns)
    manifest = {"fingerprint": fingerprint, **asked, "counts": counts, "versions": _versions()}
    return FeatureMatrix(X, columns, rows, manifest)


def _columns(blocks: Sequence[Block]) -> pl.DataFrame:
    rows = [(name, block.feature_set) for block in blocks for name in block.names]
    return pl.DataFrame(rows, schema={"name": pl.String, "set": pl.String}, orient="row")


def _counts(values: int, rows: pl.DataFrame, columns: pl.DataFrame) -> dict[str, object]:
    return {
        "rows": len(rows),
        "columns": len(columns),
        "values": values,
        TRAIN: rows.filter(split=TRAIN).height,
        HOLDOUT: rows.filter(split=HOLDOUT).height,
        "columns_of_set": dict(columns.group_by("set", maintain_order=True).len().iter_rows()),
        "rows_of_label": dict(rows.group_by("label").len().sort("label").iter_rows()),
    }


def _versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {package: version(package) for package in _VERSIONED}
