"""Features of when a device is used: set weekday_hour."""

from __future__ import annotations

import numpy as np
import polars as pl
import scipy.sparse as sp

from features.block import Block, without_empty_columns
from features.feature_sets import WEEKDAY_HOUR
from features.incidence import DeviceEvents
from features.shares import event_shares

_DAYS, _HOURS = 7, 24


def weekday_hour(visits: DeviceEvents) -> Block:
    """Share of the device's events on each weekday (Monday is 0), in each hour, and in each hour of the week."""
    hour_of_week = (pl.col("timestamp").dt.weekday().cast(pl.Int32) - 1) * _HOURS + pl.col("timestamp").dt.hour()
    hours = visits.events.select(hour_of_week).to_series().to_numpy()
    E = sp.csr_matrix((np.ones(len(hours), bool), hours, np.arange(len(hours) + 1)), shape=(len(hours), _DAYS * _HOURS))
    return without_empty_columns(Block(WEEKDAY_HOUR, _names(), event_shares(visits.matrix, E, _columns_of_an_hour())))


def _columns_of_an_hour() -> sp.csr_matrix:
    """Return which columns an hour of the week counts in: its weekday, its hour, itself; shape (168, 199), bool."""
    weekday = np.kron(np.eye(_DAYS, dtype=bool), np.ones((_HOURS, 1), bool))
    hour = np.tile(np.eye(_HOURS, dtype=bool), (_DAYS, 1))
    return sp.csr_matrix(np.hstack([weekday, hour, np.eye(_DAYS * _HOURS, dtype=bool)]))


def _names() -> list[str]:
    return [
        *(f"weekday={day}" for day in range(_DAYS)),
        *(f"hour={hour}" for hour in range(_HOURS)),
        *(f"weekday_hour={day}_{hour}" for day in range(_DAYS) for hour in range(_HOURS)),
    ]
