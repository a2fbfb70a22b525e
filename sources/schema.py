"""The seven tables: their columns, types, and the rules that every reader may rely on.

The only part of this room that the features room imports: a feature is defined over columns, not over where they came
from. Ids are signed 64-bit and most lie beyond 2**53, so no id ever passes through a float.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Table:
    """One of the seven files.

    Attributes
    ----------
    name : str
        The file is ``name.csv`` or ``name.csv.zip``; the ingested table ``name.parquet``.
    columns : mapping of str to polars dtype
        In file order.
    nullable : frozenset of str
        Columns whose cells may be empty.
    """

    name: str
    columns: Mapping[str, pl.DataType]
    nullable: frozenset[str] = frozenset()


DEVICE = "device_id"
"""What names a row of the two tables of devices, and of a file of predictions for them."""

TIMESTAMP_FORMAT = "%Y-%m-%d %H:%M:%S"
TIMESTAMP_LENGTH = len("2016-05-01 00:00:00")

_ID = pl.Int64()
_TEXT = pl.String()

TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        Table(
            "gender_age_train",
            {"device_id": _ID, "gender": _TEXT, "age": pl.Int16(), "group": _TEXT},
        ),
        Table("gender_age_test", {"device_id": _ID}),
        Table(
            "phone_brand_device_model",
            {"device_id": _ID, "phone_brand": _TEXT, "device_model": _TEXT},
        ),
        Table(
            "events",
            {
                "event_id": _ID,
                "device_id": _ID,
                "timestamp": pl.Datetime("us"),
                "longitude": pl.Float64(),
                "latitude": pl.Float64(),
            },
        ),
        Table(
            "app_events",
            {"event_id": _ID, "app_id": _ID, "is_installed": pl.Int8(), "is_active": pl.Int8()},
        ),
        Table("app_labels", {"app_id": _ID, "label_id": _ID}),
        Table("label_categories", {"label_id": _ID, "category": _TEXT}, frozenset({"category"})),
    )
}

GROUPS = (
    "F23-", "F24-26", "F27-28", "F29-32", "F33-42", "F43+",
    "M22-", "M23-26", "M27-28", "M29-31", "M32-38", "M39+",
)  # fmt: skip
