"""Who has what, as 0/1 matrices: devices and events, events and apps, apps and labels, labels and categories.

Every table of the chain is a relation between two kinds of things, so one function makes all the matrices. Duplicate
rows of a table meet in one entry, and ids are matched as 64-bit integers in Polars joins before they become row and
column numbers: nothing here may look at an id as a float, as a pandas merge with missing values would.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import scipy.sparse as sp


@dataclass(frozen=True)
class Incidence:
    """A relation.

    Attributes
    ----------
    matrix : csr_matrix of shape (n_rows, n_columns), bool
        True where the row has the column; canonical (sorted, no duplicates, no stored zeros).
    columns : Series of length n_columns
        What the columns stand for, ascending.
    """

    matrix: sp.csr_matrix
    columns: pl.Series


@dataclass(frozen=True)
class DeviceEvents:
    """The events of some devices.

    Attributes
    ----------
    matrix : csr_matrix of shape (n_devices, n_events), int32
        1 where the event is the device's. The events stand in the order of the devices, so that a range of
        devices is a range of events.
    events : DataFrame of n_events rows
        ``event_id`` (Int64) and ``timestamp``, in the order of the matrix's columns.
    """

    matrix: sp.csr_matrix
    events: pl.DataFrame


def incidence(pairs: pl.LazyFrame, rows: pl.Series) -> Incidence:
    """Return which of `rows` has what.

    Parameters
    ----------
    pairs : LazyFrame of two columns
        The first is matched with `rows`; pairs of other rows and pairs with a null are left out.
    rows : Series of length n_rows
        Distinct, in any order.

    Returns
    -------
    Incidence
        Its columns are the distinct values that `rows` have in the second column of `pairs`.
    """
    row, column = pairs.collect_schema().names()
    listed = pairs.drop_nulls(column).join(_numbered(rows, row).lazy(), on=row)
    # The groups are the columns of a csc matrix as they stand; numbering the values would take a second join.
    by_column = listed.group_by(column).agg("number").collect(engine="streaming").sort(column)
    entries = by_column["number"].explode().to_numpy()
    ends = np.concatenate([[0], np.cumsum(by_column["number"].list.len(), dtype=np.int64)])
    matrix = sp.csc_matrix((np.ones(len(entries), bool), entries, ends), shape=(len(rows), len(by_column))).tocsr()
    matrix.sum_duplicates()
    return Incidence(matrix, by_column[column])


def device_events(events: pl.LazyFrame, devices: pl.Series) -> DeviceEvents:
    """Return the events of `devices`; an event_id that is listed again, for whichever device, counts as first listed.

    Parameters
    ----------
    events : LazyFrame
        ``event_id``, ``device_id`` and ``timestamp``.
    devices : Series of length n_devices
        Distinct device ids.
    """
    once = events.select("event_id", "device_id", "timestamp").filter(pl.col("event_id").is_first_distinct())
    ours = once.join(_numbered(devices, "device_id").lazy(), on="device_id").collect().sort("number")
    first = np.searchsorted(ours["number"].to_numpy(), np.arange(len(devices) + 1)).astype(np.int32)
    entries = (np.ones(len(ours), np.int32), np.arange(len(ours), dtype=np.int32), first)
    matrix = sp.csr_matrix(entries, shape=(len(devices), len(ours)))
    return DeviceEvents(matrix, ours.select("event_id", "timestamp"))


def _numbered(values: pl.Series, name: str) -> pl.DataFrame:
    return pl.DataFrame({name: values, "number": pl.int_range(len(values), dtype=pl.Int32, eager=True)})
