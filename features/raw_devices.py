"""Devices as a caller has them, one row each, and the tables that they stand for.

A row holds a phone's brand and model and its events, each with a time and the apps on it::

    {"phone_brand": "Huawei", "device_model": "Mate 8",
     "events": [{"timestamp": "2016-05-01 10:03:00", "apps": [-5839858269967688123]}]}

Every field may be absent or null; a device of which nothing is known is one without any feature. Other fields are
refused, but for ``device_id``, which plays no part. The check is our own, and the model has no signature of its inputs:
MLflow's check of nested types takes a tenth of a millisecond an event, which is minutes for 100,000 devices, tells the
caller no row, drops fields that it does not know, and with the last field of a row the row.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
import polars as pl

from errors import GridfoldError, did_you_mean

TIMESTAMP_FORMAT = "%Y-%m-%d %H:%M:%S"

SCHEMA: Sequence[Mapping[str, Any]] = (
    {"name": "phone_brand", "type": "string", "required": False},
    {"name": "device_model", "type": "string", "required": False},
    {"name": "events", "type": "any", "required": False},
)
EXAMPLE: Sequence[Mapping[str, Any]] = (
    {
        "phone_brand": "Huawei",
        "device_model": "Mate 8",
        "events": [
            {"timestamp": "2016-05-01 10:03:00", "apps": [-5839858269967688123, 7348364129823012345]},
            {"timestamp": "2016-05-02 21:45:10", "apps": []},
        ],
    },
    {"phone_brand": "vivo", "device_model": "X5Pro", "events": []},
)
_OF_A_DEVICE = tuple(column["name"] for column in SCHEMA)
_IGNORED = ("device_id",)
_FIELDS = ("timestamp", "apps")


class MalformedInputError(GridfoldError, ValueError):
    """A row is not what it must be; the message names the field."""


def tables_of(rows: Any) -> tuple[pl.Series, dict[str, pl.LazyFrame]]:
    """Return the devices and their tables, typed as in ``sources.schema``.

    Parameters
    ----------
    rows : DataFrame of shape (n_devices, 3) or fewer columns
        pandas, with the columns of `SCHEMA`; lists may be NumPy arrays, timestamps may be datetimes.

    Returns
    -------
    devices : Series of length n_devices, Int64
        Row numbers: a caller's own ids play no part, and two rows of one device are two devices.
    tables : dict of str to LazyFrame
        ``phone_brand_device_model``, ``events`` and ``app_events``.

    Raises
    ------
    MalformedInputError
    """
    _check_fields(rows)
    devices = pl.int_range(len(rows), eager=True).alias("device_id")
    phone = {name: _texts(rows, name) for name in ("phone_brand", "device_model")}
    events = list(_events(_cells(rows, "events")))
    return devices, {
        "phone_brand_device_model": pl.LazyFrame({"device_id": devices, **phone}),
        "events": _event_table(events),
        "app_events": _app_table(events),
    }


def _check_fields(rows: Any) -> None:
    for name in rows.columns:
        if name in (*_OF_A_DEVICE, *_IGNORED):
            continue
        row = next((place for place, cell in enumerate(rows[name]) if not _is_absent(cell)), 0)
        advice = did_you_mean(str(name), _OF_A_DEVICE) or f" A device has {', '.join(_OF_A_DEVICE)}."
        raise MalformedInputError(f"row {row}: unknown field '{name}'.{advice}")


def _cells(rows: Any, column: str) -> list[Any]:
    return list(rows[column]) if column in rows else [None] * len(rows)


def _texts(rows: Any, column: str) -> pl.Series:
    cells = [None if _is_absent(cell) else cell for cell in _cells(rows, column)]
    wrong = next((place for place, cell in enumerate(cells) if not isinstance(cell, str | None)), None)
    if wrong is not None:
        raise MalformedInputError(f"row {wrong}: {column}: expected text, got {_shown(cells[wrong])}.")
    return pl.Series(column, cells, pl.String)


Event = tuple[int, int, Any, Any]
"""Row number, place among the row's events, timestamp, apps."""


def _events(cells: Sequence[Any]) -> Iterator[Event]:
    for row, events in enumerate(cells):
        if _is_absent(events):
            continue
        for place, event in enumerate(_listed(events, f"row {row}: events", "a list of events")):
            where = f"row {row}: events[{place}]"
            if not isinstance(event, Mapping):
                raise MalformedInputError(f"{where}: expected an object with timestamp and apps, got {_shown(event)}.")
            if unknown := event.keys() - set(_FIELDS):
                raise MalformedInputError(f"{where}: unknown field '{min(unknown)}'. An event has timestamp and apps.")
            if "timestamp" not in event:
                raise MalformedInputError(f"{where}: timestamp is missing.")
            apps = event.get("apps")
            yield row, place, event["timestamp"], [] if apps is None else _listed(apps, f"{where}.apps", "app ids")


def _event_table(events: Sequence[Event]) -> pl.LazyFrame:
    times = pl.Series([_time_as_text(event) for event in events], dtype=pl.String)
    moments = times.str.to_datetime(TIMESTAMP_FORMAT, time_unit="us", strict=False)
    if moments.null_count():
        row, place, time, _ = events[int(moments.is_null().arg_max() or 0)]
        raise MalformedInputError(
            f"row {row}: events[{place}].timestamp: {_shown(time)} is not a time such as '2016-05-01 10:03:00'."
        )
    owners = pl.Series([row for row, *_ in events], dtype=pl.Int64)
    return pl.LazyFrame({"event_id": _numbers(events), "device_id": owners, "timestamp": moments})


def _time_as_text(event: Event) -> str:
    time = event[2]
    if isinstance(time, datetime.datetime) and not _is_absent(time):  # NaT is a datetime, too
        return time.strftime(TIMESTAMP_FORMAT)
    return time if isinstance(time, str) else ""


def _app_table(events: Sequence[Event]) -> pl.LazyFrame:
    if any(bool in set(map(type, apps)) for *_, apps in events):  # which Polars takes for 1 or 0
        raise _wrong_app(events)
    try:
        apps = pl.Series([apps for *_, apps in events], dtype=pl.List(pl.Int64), strict=True)
    except (TypeError, OverflowError, pl.exceptions.PolarsError) as error:
        raise _wrong_app(events) from error
    pairs = pl.LazyFrame({"event_id": _numbers(events), "app_id": apps})
    return pairs.explode("app_id").drop_nulls()


def _wrong_app(events: Sequence[Event]) -> MalformedInputError:
    for row, place, _, apps in events:
        for app in apps:
            if isinstance(app, bool) or not isinstance(app, int) or not -(2**63) <= app < 2**63:
                where = f"row {row}: events[{place}].apps"
                return MalformedInputError(
                    f"{where}: expected app ids, signed 64-bit whole numbers, got {_shown(app)}."
                )
    return MalformedInputError("events.apps: expected lists of app ids, signed 64-bit whole numbers.")


def _numbers(events: Sequence[Event]) -> pl.Series:
    return pl.int_range(len(events), eager=True)


def _listed(value: Any, where: str, what: str) -> list[Any]:
    if hasattr(value, "tolist"):
        value = value.tolist()
    if not isinstance(value, list | tuple):
        raise MalformedInputError(f"{where}: expected {what}, got {_shown(value)}.")
    return list(value)


def _is_absent(cell: Any) -> bool:
    """Whether the cell is empty: None, or the NaN or NA that pandas puts where a record lacks the field."""
    return cell is None or (pd.api.types.is_scalar(cell) and bool(pd.isna(cell)))


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
