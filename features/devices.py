"""The rows of the matrix: the devices of gender_age_train and their labels."""

from __future__ import annotations

import polars as pl

from errors import GridfoldError


def labelled_devices(gender_age_train: pl.LazyFrame) -> pl.DataFrame:
    """Return each device once, where it is first listed.

    Parameters
    ----------
    gender_age_train : LazyFrame
        ``device_id`` and ``group``.

    Returns
    -------
    DataFrame
        ``device_id`` (Int64), ``label`` (String), in file order.

    Raises
    ------
    GridfoldError
        There is no device, only one group, or a device has two groups. Elsewhere the first of two rows counts, but a
        device's group is what is to be learned, and which of the two is true cannot be told from the file.
    """
    listed = gender_age_train.select("device_id", label="group").collect().unique(maintain_order=True)
    _check_one_label_each(listed)
    labels = listed["label"].unique().sort()
    if len(labels) < 2:
        found = f"all {len(listed):,} devices have the group '{labels[0]}'" if len(labels) else "the table has no rows"
        raise GridfoldError(f"gender_age_train: {found}, so there is nothing to tell apart. Use data of at least two.")
    return listed


def _check_one_label_each(listed: pl.DataFrame) -> None:
    twice = listed.filter(pl.col("device_id").is_duplicated())
    if twice.is_empty():
        return
    device = twice["device_id"][0]
    labels = " and ".join(f"'{label}'" for label in twice.filter(device_id=device)["label"])
    more = twice["device_id"].n_unique() - 1
    others = f" (and {more:,} more with several)" if more else ""
    raise GridfoldError(
        f"gender_age_train: device {device} is listed with the groups {labels}{others}. Keep one row for each device."
    )
