"""From a feature set's name to its columns, for any devices: whether they are labelled is no matter here.

The matrix to train on and the rows of a device to be scored later come from this one definition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import polars as pl

from features.app_sets import KINDS_OF_COLUMN, app_sets
from features.block import Block
from features.feature_sets import BRAND_MODEL, WEEKDAY_HOUR
from features.incidence import device_events
from features.phone_sets import brand_model
from features.time_sets import weekday_hour

Progress = Callable[[str], None]


def feature_blocks(
    devices: pl.Series, tables: Mapping[str, pl.LazyFrame], feature_sets: Sequence[str], progress: Progress
) -> list[Block]:
    """Return the blocks of `feature_sets`, in the order of `FEATURE_SETS`.

    Parameters
    ----------
    devices : Series of length n_devices, Int64
        Distinct; the rows of the blocks.
    tables : mapping of str to LazyFrame
        All but the two lists of devices.
    feature_sets : sequence of str
        As from `parse_feature_sets`.
    progress : callable
        Told what begins, as a short sentence.
    """
    blocks = []
    if BRAND_MODEL in feature_sets:
        progress("Phones: brand and model")
        blocks.append(brand_model(tables["phone_brand_device_model"], devices))
    if set(feature_sets) == {BRAND_MODEL}:
        return blocks
    progress("Events: whose, and when")
    visits = device_events(tables["events"], devices)
    if WEEKDAY_HOUR in feature_sets:
        blocks.append(weekday_hour(visits))
    if not KINDS_OF_COLUMN.keys().isdisjoint(feature_sets):
        progress("App events: apps, labels and categories")
        blocks.extend(app_sets(feature_sets, visits, tables))
    return blocks
