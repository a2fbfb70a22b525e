from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from features.raw_devices import EXAMPLE, MalformedInputError, tables_of

LARGE = -(2**63)


def frames(rows):
    devices, tables = tables_of(pd.DataFrame(rows))
    return devices.to_list(), {name: table.collect().rows() for name, table in tables.items()}


def test_a_row_becomes_rows_of_three_tables_with_ids_whole():
    devices, tables = frames(
        [
            {
                "phone_brand": "vivo",
                "device_model": "X5",
                "events": [{"timestamp": "2016-05-01 10:03:00", "apps": [LARGE, 7]}],
            },
            {"phone_brand": None, "device_model": "X5", "events": None},
            {
                "events": [
                    {"timestamp": "2016-05-01 10:03:01"},
                    {"timestamp": "2016-05-01 10:03:02", "apps": [2**53 + 1]},
                ]
            },
        ]
    )
    assert devices == [0, 1, 2]
    assert tables["phone_brand_device_model"] == [(0, "vivo", "X5"), (1, None, "X5"), (2, None, None)]
    assert tables["events"] == [
        (0, 0, datetime(2016, 5, 1, 10, 3)),
        (1, 2, datetime(2016, 5, 1, 10, 3, 1)),
        (2, 2, datetime(2016, 5, 1, 10, 3, 2)),
    ]
    assert tables["app_events"] == [(0, LARGE), (0, 7), (2, 2**53 + 1)]


def test_numpy_arrays_and_datetimes_are_as_good_as_lists_and_text():
    event = {"timestamp": pd.Timestamp("2016-05-01 10:03:00"), "apps": np.array([LARGE, 7])}
    as_text = {"timestamp": "2016-05-01 10:03:00", "apps": [LARGE, 7]}
    assert frames({"events": [np.array([event])]}) == frames({"events": [[as_text]]})


def test_a_device_without_any_field_is_one_row_and_an_id_plays_no_part():
    assert frames([{}, {}])[0] == [0, 1]
    assert frames([{"device_id": 7, "phone_brand": "vivo"}]) == frames([{"phone_brand": "vivo"}])


@pytest.mark.parametrize("rows", [[], {"events": []}, {"phone_brand": []}])
def test_no_rows_are_no_devices(rows):
    devices, tables = frames(rows)
    assert devices == []
    assert set(tables) == {"phone_brand_device_model", "events", "app_events"}
    assert not any(tables.values())


def test_the_example_is_well_formed():
    devices, tables = frames(list(EXAMPLE))
    assert len(devices) == 2
    assert len(tables["app_events"]) == 2


NOON = "2016-05-01 12:00:00"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"phone_brand": 5}, "row 1: phone_brand: expected text, got 5."),
        ({"device_model": ["X5"]}, "row 1: device_model: expected text, got ['X5']."),
        ({"events": "none"}, "row 1: events: expected a list of events, got 'none'."),
        ({"events": [5]}, "row 1: events[0]: expected an object with timestamp and apps, got 5."),
        ({"events": [{"apps": []}]}, "row 1: events[0]: timestamp is missing."),
        ({"events": [{"timestamp": NOON, "app": []}]}, "row 1: events[0]: unknown field 'app'."),
        (
            {"events": [{"timestamp": NOON}, {"timestamp": "1.5.16"}]},
            "row 1: events[1].timestamp: '1.5.16' is not a time",
        ),
        ({"events": [{"timestamp": 5}]}, "row 1: events[0].timestamp: 5 is not a time"),
        ({"events": [{"timestamp": NOON, "apps": "5"}]}, "row 1: events[0].apps: expected app ids, got '5'."),
        ({"events": [{"timestamp": NOON, "apps": ["5"]}]}, "row 1: events[0].apps: expected app ids, signed 64-bit"),
        ({"events": [{"timestamp": NOON, "apps": [5.0]}]}, "whole numbers, got 5.0."),
        ({"events": [{"timestamp": NOON, "apps": [2**63]}]}, "whole numbers, got 9223372036854775808."),
        (
            {"events": [{"timestamp": NOON, "apps": [7, True]}]},
            "row 1: events[0].apps: expected app ids, signed 64-bit",
        ),
        ({"events": [{"timestamp": NOON, "apps": np.array([True])}]}, "whole numbers, got True."),
        ({"events": [{"timestamp": pd.NaT}]}, "row 1: events[0].timestamp: NaT is not a time"),
        ({"brand": "vivo"}, "row 1: unknown field 'brand'. Did you mean 'phone_brand'?"),
        ({"colour": "red"}, "row 1: unknown field 'colour'. A device has phone_brand, device_model, events."),
    ],
)
def test_what_is_wrong_is_told_by_row_and_field(row, said):
    with pytest.raises(MalformedInputError) as raised:
        tables_of(pd.DataFrame([{"phone_brand": "vivo"}, row]))
    assert said in str(raised.value)
