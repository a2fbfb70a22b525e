"""A number for each row that equal rows share: what finds copies among any number of rows without comparing any two.

The number is a sum over the columns, modulo 2^64, of a random number of the column's times the value's scrambled bits.
A zero adds nothing, so a sparse row costs its values alone. In a dense table most rows are told apart by the first
columns that vary most; the others are asked only about the rows that are still alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuning.audit.table import Audited

Keys = NDArray[np.uint64]

_VALUES_AT_ONCE = 1 << 18
_SCRAMBLE = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(32)


def row_keys(rows: Audited, columns: NDArray[np.bool_] | None = None) -> Keys:
    """Return a key for each row, training rows first.

    Parameters
    ----------
    rows : Audited
    columns : ndarray of bool, optional
        Look at these columns only.
    """
    weights = np.random.default_rng(1).integers(1, 2**63, rows.n_columns, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    if columns is not None:
        weights[~columns] = 0
    if rows.is_sparse:
        return np.concatenate([_sparse_keys(part, weights) for part in rows.parts])
    return _dense_keys(rows, weights, whole=columns is not None)


def twins(keys: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows whose key others have too, put together by key, and where each such set begins."""
    alone = np.sort(keys)
    if (alone[1:] != alone[:-1]).all():
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    sizes = np.diff(np.append(begins, len(keys)))
    kept = np.repeat(sizes > 1, sizes)
    lengths = sizes[sizes > 1]
    return order[kept], np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.intp)[: len(lengths)]


def _sparse_keys(X: Any, weights: Keys) -> Keys:
    X = X.tocsr()
    keys = np.zeros(X.shape[0], dtype=np.uint64)
    starts = np.searchsorted(X.indptr, np.arange(0, X.nnz + 1, _VALUES_AT_ONCE), side="left")
    cuts = np.unique(np.concatenate([starts, [0, X.shape[0]]]))
    for begin, end in pairwise(cuts.tolist()):
        first, last = int(X.indptr[begin]), int(X.indptr[end])
        terms = _scrambled(X.data[first:last]) * weights[X.indices[first:last]]
        sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(terms)])
        places = X.indptr[begin : end + 1] - first
        keys[begin:end] = sums[places[1:]] - sums[places[:-1]]
    return keys


def _dense_keys(rows: Audited, weights: Keys, whole: bool) -> Keys:
    """Sum over the columns; unless `whole`, rows that are alone with theirs are left as they are."""
    keys = np.zeros(rows.n_rows, dtype=np.uint64)
    alike: NDArray[np.intp] | None = None
    for chunk in _chunks([int(each) for each in np.argsort(-rows.variety, kind="stable") if weights[each]]):
        for column in chunk:
            terms = _scrambled(rows.column(column, alike, all_rows=True)) * weights[column]
            if alike is None:
                keys += terms
            else:
                keys[alike] += terms
        if not whole:
            alike, _ = twins(keys)
            if not len(alike):
                break
    return keys


def _chunks(columns: Sequence[int]) -> list[Sequence[int]]:
    """Cut `columns` in parts of 1, 2, 4, 8 ... of them."""
    edges = [2**power - 1 for power in range(len(columns).bit_length() + 1)]
    return [columns[begin:end] for begin, end in pairwise(edges) if columns[begin:end]]


def _scrambled(values: NDArray[Any]) -> Keys:
    """Spread the bits of each value over the whole number, whose lowest bits are those that sums of products keep."""
    if values.dtype.kind == "f":
        numbers = values.astype(np.float64) + 0.0  # -0.0 is 0.0
        bits = numbers.view(np.uint64)
    else:
        bits = values.astype(np.int64).view(np.uint64)
    bits = bits * _SCRAMBLE
    bits = (bits ^ (bits >> _SHIFT)) * _SCRAMBLE
    return bits ^ (bits >> _SHIFT)
