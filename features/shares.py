"""The share of a device's events that have something, by sparse linear algebra.

With devices by events ``D``, events by items ``E`` and items by columns ``A``, all of zeros and ones, an event has a
column if any of its items has it, and ::

    shares = D @ (E @ A > 0) / events of each device

The product in brackets would be the largest matrix of all (every label of every event), so it is made for a block of
devices at a time and added up before the next. SciPy multiplies outside the interpreter's lock, hence threads. We do
not group or join: a data frame of (event, label) rows takes 6 GB where this takes a few dozen MB.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

BLOCK_ITEMS = 500_000
"""Entries of ``E`` in one block; times some ten labels an app and ten bytes an entry, about 50 MB a thread."""


def event_shares(
    D: sp.csr_matrix, E: sp.csr_matrix, A: sp.csr_matrix, *, block_items: int = BLOCK_ITEMS
) -> sp.csr_matrix:
    """Share of each device's events that have each column.

    Parameters
    ----------
    D : csr_matrix of shape (n_devices, n_events), int32
        Ones; the events in the order of the devices.
    E : csr_matrix of shape (n_events, n_items), bool
    A : csr_matrix of shape (n_items, n_columns), bool
    block_items : int
        The blocks are cut between devices so that each holds at most so many entries of `E` (or one device).
        Memory depends on it, the result does not.

    Returns
    -------
    csr_matrix of shape (n_devices, n_columns), float32
        In (0, 1], sorted; an empty row for a device without events.
    """
    totals = np.diff(D.indptr)

    def shares_of(block: slice) -> sp.csr_matrix:
        events = slice(D.indptr[block.start], D.indptr[block.stop])
        has = E[events] @ A  # of booleans, so True once, however many items of the event have the column
        counts = D[block, events] @ has
        return _divided(counts, totals[block])

    blocks = device_blocks(np.diff(E.indptr[D.indptr]), block_items)
    with ThreadPoolExecutor(pl.thread_pool_size()) as threads:
        parts = list(threads.map(shares_of, blocks))
    return sp.csr_matrix(sp.vstack(parts, format="csr", dtype=np.float32))


def device_blocks(items: NDArray[np.integer], bound: int) -> Iterator[slice]:
    """Cut the devices into ranges of at most `bound` items each; a device with more stands alone.

    Parameters
    ----------
    items : ndarray of shape (n_devices,)
        Items of each device.
    bound : int
        At least 1.
    """
    before = np.concatenate([[0], np.cumsum(items, dtype=np.int64)])
    start = 0
    while start < len(items):
        within = int(np.searchsorted(before, before[start] + bound, side="right")) - 1
        stop = max(within, start + 1)
        yield slice(start, stop)
        start = stop


def _divided(counts: sp.csr_matrix, totals: NDArray[np.integer]) -> sp.csr_matrix:
    counts.sort_indices()
    shares = (counts.data / np.repeat(totals, np.diff(counts.indptr))).astype(np.float32)
    return sp.csr_matrix((shares, counts.indices, counts.indptr), shape=counts.shape)
