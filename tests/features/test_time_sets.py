from datetime import datetime

import numpy as np
import polars as pl
import pytest

from features.incidence import device_events
from features.time_sets import weekday_hour
from tests.features.small_tables import tables


def shares(*moments: str) -> dict[str, float]:
    """Return the non-zero columns of one device with events at `moments`."""
    events = [(number, 1, datetime.fromisoformat(moment)) for number, moment in enumerate(moments)]
    block = weekday_hour(device_events(tables(events=events)["events"], pl.Series([1], dtype=pl.Int64)))
    return dict(zip(block.names, block.values.toarray()[0].tolist(), strict=True))


@pytest.mark.parametrize(
    ("moment", "weekday", "hour"),
    [
        ("2016-04-30 23:59:59", 5, 23),
        ("2016-05-01 00:00:00", 6, 0),
        ("2016-05-02 00:00:00", 0, 0),
        ("2016-05-07 21:30:00", 5, 21),
        ("2016-05-08 00:00:01", 6, 0),
    ],
)
def test_monday_is_0_and_an_hour_begins_on_the_hour(moment, weekday, hour):
    assert shares(moment) == {f"weekday={weekday}": 1, f"hour={hour}": 1, f"weekday_hour={weekday}_{hour}": 1}


def test_values_are_shares_of_the_devices_events():
    assert shares("2016-05-02 10:00:00", "2016-05-02 10:59:00", "2016-05-02 11:00:00", "2016-05-03 10:00:00") == {
        "weekday=0": 0.75,
        "weekday=1": 0.25,
        "hour=10": 0.75,
        "hour=11": 0.25,
        "weekday_hour=0_10": 0.5,
        "weekday_hour=0_11": 0.25,
        "weekday_hour=1_10": 0.25,
    }


def test_a_device_without_events_has_an_empty_row():
    events = tables(events=[(1, 2)])["events"]
    block = weekday_hour(device_events(events, pl.Series([1, 2], dtype=pl.Int64)))
    assert np.diff(block.values.indptr).tolist() == [0, 3]
