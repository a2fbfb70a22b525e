"""Small tables, typed as ingest types them, from the cells that a feature depends on."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from sources.schema import TABLES

NOON = datetime(2016, 5, 2, 12)


def tables(
    train: Sequence[tuple[int, str]] = ((1, "F23-"), (2, "M39+")),
    phones: Sequence[tuple[int, str, str]] = (),
    events: Sequence[tuple[int, int] | tuple[int, int, datetime]] = (),
    app_events: Sequence[tuple[int, int]] = (),
    app_labels: Sequence[tuple[int, int]] = (),
    label_categories: Sequence[tuple[int, str | None]] = (),
) -> dict[str, pl.LazyFrame]:
    rows = {
        "gender_age_train": [(device, group[0], 30, group) for device, group in train],
        "gender_age_test": [],
        "phone_brand_device_model": phones,
        "events": [(event, device, *(when or (NOON,)), 0.0, 0.0) for event, device, *when in events],
        "app_events": [(event, app, 1, 0) for event, app in app_events],
        "app_labels": app_labels,
        "label_categories": label_categories,
    }
    return {name: frame(name, cells).lazy() for name, cells in rows.items()}


def frame(name: str, rows: Sequence[tuple[object, ...]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=dict(TABLES[name].columns), orient="row")
