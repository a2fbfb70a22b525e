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
        parts = [part.tocsr() for part in rows.parts]
        if columns is None and (alike := _alike_at_a_glance(parts)) is not None:
            return _keys_of_some(parts, weights, alike)
        return np.concatenate([_sparse_keys(part, weights) for part in parts])
    return _dense_keys(rows, weights, whole=columns is not None)


def twins(keys: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows whose key others have too, put together by key, and where each such set begins."""
    ordered = np.sort(keys)
    shared = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(shared):
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
    places = np.searchsorted(shared, keys)
    places[places == len(shared)] = 0
    some = np.flatnonzero(shared[places] == keys)
    order = some[np.argsort(keys[some], kind="stable")]
    ordered = keys[order]
    return order, np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))


def _alike_at_a_glance(parts: Sequence[Any]) -> NDArray[np.bool_] | None:
    """Tell which rows are as long as some other and have the same first, middle and last value as it.

    None where that says nothing: where equal rows may be written otherwise, out of order or with zeros.
    """
    if not all(part.has_sorted_indices and np.count_nonzero(part.data) == part.nnz for part in parts):
        return None
    seen = []
    for part in parts:
        lengths, begins = np.diff(part.indptr), part.indptr[:-1]
        key = lengths.astype(np.uint64)
        if part.nnz:
            for place in (begins, begins + lengths // 2, begins + lengths - 1):
                at = np.clip(place, 0, part.nnz - 1)
                looked = _scrambled(part.data[at]) + part.indices[at].astype(np.uint64)
                key = key * _SCRAMBLE + np.where(lengths > 0, looked, 0)
        seen.append(key)
    alike = np.zeros(sum(map(len, seen)), dtype=bool)
    alike[twins(np.concatenate(seen))[0]] = True
    return alike


def _keys_of_some(parts: Sequence[Any], weights: Keys, some: NDArray[np.bool_]) -> Keys:
    """Return keys in which the rows that are not among `some` are like no other."""
    keys = _scrambled(np.arange(len(some)) + len(some))
    edges = np.cumsum([0, *(part.shape[0] for part in parts)])
    chosen = [some[begin:end] for begin, end in pairwise(edges)]
    keys[some] = np.concatenate(
        [_sparse_keys(part[np.flatnonzero(which)], weights) for part, which in zip(parts, chosen, strict=True)]
    )
    return keys


def _sparse_keys(X: Any, weights: Keys) -> Keys:
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
