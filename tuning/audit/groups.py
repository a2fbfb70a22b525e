"""Columns whose values look like groups that nobody has declared: GF202.

A patient, a household, a session: a value that a few rows share, and with it the target, while the value beside it in
order says nothing. Folds that part such rows are tested on people whom they have learned from. A number that tells the
target by its size is no such thing: rows of the next value are then nearly as alike as those of the same one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tuning.audit.table import Audited, Target
from tuning.linting.finding import Finding

_LEAST_VALUES = 20
_MOST_ROWS_EACH = 100
_ALIKE, _ALIKE_IF_NAMED = 0.3, 0.1
_SURE = 5.0
_CROSSING = 0.01
_A_FEW_ROWS = 4000
_DOUBLE = 0.05
_SHARED = 0.5
_NAMED = re.compile(
    r"(?:^|[\W_])(?:id|ids|uuid|guid|key|user|patient|subject|customer|client|person|account|household|session|device|"
    r"group|owner|member|visitor)(?:$|[\W_])|[a-z]I[dD]$",
    re.I,
)


def undeclared_groups(rows: Audited) -> Iterator[Finding]:
    """Find columns whose equal values go with equal targets and stand on both sides of a split."""
    found = _of_sparse(rows) if rows.is_sparse else _of_table(rows)
    for column, name, codes, n_values, alike in found:
        crossing = _crossing(rows, codes)
        if crossing <= _CROSSING:
            continue
        yield Finding(
            "GF202",
            f"{name} looks like a group: rows of one of its {n_values:,} values are {alike:.0%} more alike in their "
            f"target than chance has it, and {crossing:.0%} of the rows tested share theirs with rows learned from",
            "If rows to come are of new ones, keep them on one side of a split, -P groups=COLUMN",
            columns=(rows.plain_name(column),),
        )


Found = Iterator[tuple[int, str, NDArray[np.int64], int, float]]


def _of_table(rows: Audited) -> Found:
    """Look at whole numbers and categories, each the code of a value."""
    for column in range(rows.n_columns):
        kind = rows.kind(column)
        if kind not in "iuCO" or rows.variety[column] < min(_LEAST_VALUES, len(rows.few) // 2):
            continue
        column_values = rows.column(column)
        least = _ALIKE_IF_NAMED if _NAMED.search(rows.plain_name(column)) else _ALIKE
        some = rows.rows_of_some_values(column_values)
        if len(some) < rows.n_train and not _may_be_group(rows, column_values[some], some, least):
            continue
        found, values = pd.factorize(column_values, sort=True)
        gap = int(kind in "CO" and values[0] == -1)  # the lowest code, which is no value
        codes, n_values = found.astype(np.int64) - gap, len(values) - gap
        alike = _alike_if_few_each(rows, codes, n_values, in_order=kind in "iu")
        if alike >= least:
            yield column, f"column {rows.name(column)}", codes, n_values, alike


def _may_be_group(rows: Audited, values: NDArray[Any], some: NDArray[np.intp], least: float) -> bool:
    """Whether the rows of some values are at least half as alike as a group's."""
    codes, known = pd.factorize(values)
    if len(values) > len(known) * _MOST_ROWS_EACH:
        return False
    sizes = np.bincount(codes, minlength=1)
    if not (sizes > 1).any():
        return False
    few = [Target(each.name, each.values[some], each.has_labels) for each in rows.targets]
    return any(len(each.shares) > 1 and _excess(each, codes, sizes) >= least / 2 for each in few)


def _of_sparse(rows: Audited) -> Found:
    """Look at columns of ones that a few rows have, of which each row has at most one: a group written out."""
    X = rows.parts[0].tocsr()
    step = rows.n_train // _A_FEW_ROWS
    if step > 1 and not _may_be_written_out(X[::step], step):
        return
    counts = np.bincount(X.indices, minlength=rows.n_columns)
    few = (counts > 1) & (counts <= _MOST_ROWS_EACH)
    chosen = few[X.indices]
    columns = X.indices[chosen]
    few[columns[X.data[chosen] != 1]] = False
    held = np.repeat(np.arange(rows.n_train), np.diff(X.indptr))[chosen]
    kept = few[columns]
    codes = np.full(rows.n_train, -1, dtype=np.int64)
    codes[held[kept]] = columns[kept]
    if np.count_nonzero(kept) != np.count_nonzero(codes >= 0):
        return  # some row has two
    n_values = int(few.sum())
    alike = _alike_if_few_each(rows, codes, n_values, in_order=False)
    if alike >= _ALIKE:
        first = int(np.flatnonzero(few)[0])
        yield first, f"what the {n_values:,} columns like {rows.name(first)} say", codes, n_values, alike


def _may_be_written_out(some: Any, step: int) -> bool:
    """Whether one row in `step` speaks for columns of ones that few rows have, and each row at most one."""
    counts = np.bincount(some.indices, minlength=some.shape[1])
    few = (counts > 0) & (counts <= _MOST_ROWS_EACH / step + 2)
    few[some.indices[(some.data != 1) & few[some.indices]]] = False
    held = np.repeat(np.arange(some.shape[0]), np.diff(some.indptr))
    n_held = np.bincount(held[few[some.indices]], minlength=some.shape[0])
    return bool((n_held > 0).mean() > _SHARED / 2 and (n_held > 1).mean() < _DOUBLE)


def _alike_if_few_each(rows: Audited, codes: NDArray[np.int64], n_values: int, in_order: bool) -> float:
    """How much more alike in their target rows of one value are than chance has it; 0 where it cannot be a group."""
    known = codes >= 0
    if n_values < _LEAST_VALUES or known.sum() > n_values * _MOST_ROWS_EACH:
        return 0.0
    sizes = np.bincount(codes[known])
    if (sizes[codes[known]] > 1).mean() < _SHARED:
        return 0.0
    return max(_alike(target, codes, sizes, in_order) for target in rows.targets)


def _alike(target: Target, codes: NDArray[np.int64], sizes: NDArray[np.int64], in_order: bool) -> float:
    """How much more alike rows of one value are than chance has it, less what rows of the next value are as well."""
    if target.chance == 1:
        return 0.0
    excess = _excess(target, codes, sizes)
    if excess * np.sqrt(sizes[sizes > 1].sum()) < _SURE:
        return 0.0
    if not in_order:
        return excess
    shares = _shares_of_values(target, codes, len(sizes))
    nearby, chance = float((shares[1:] * shares[:-1]).sum(axis=1).mean()), target.chance
    if not target.has_labels:
        nearby, chance = float((shares[1:, 0] * shares[:-1, 0]).mean()), 0.0
    return excess - max(0.0, (nearby - chance) / (1 - chance))


def _excess(target: Target, codes: NDArray[np.int64], sizes: NDArray[np.int64]) -> float:
    """How alike two rows of one value are, from 0 for as alike as any two to 1 for equal."""
    shares = _shares_of_values(target, codes, len(sizes))[sizes > 1]
    n = sizes[sizes > 1]
    if target.has_labels:
        same, chance = (shares * (shares * n[:, None] - 1)).sum(axis=1) / (n - 1), target.chance
    else:
        same, chance = (shares[:, 0] ** 2 * n - shares[:, 1]) / (n - 1), 0.0
    return float((np.average(same, weights=n) - chance) / (1 - chance))


def _shares_of_values(target: Target, codes: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    """Of each value, the share of its rows in each class; of numbers, their mean and mean square, standardised."""
    known = codes >= 0
    codes, y = codes[known], target.values[known]
    sizes = np.maximum(np.bincount(codes, minlength=n), 1)[:, None]
    if target.has_labels:
        classes, places = np.unique(y, return_inverse=True)
        counts = np.bincount(codes * len(classes) + places, minlength=n * len(classes))
        return np.asarray(counts.reshape(n, len(classes)) / sizes)
    y = (y - y.mean()) / (y.std() or 1.0)
    sums = np.column_stack([np.bincount(codes, weights=each, minlength=n) for each in (y, y**2)])
    return np.asarray(sums / sizes)


def _crossing(rows: Audited, codes: NDArray[np.int64]) -> float:
    """Share of the rows tested whose value some row has that the same fold learns from."""
    shared = tested = 0
    for fold in rows.folds:
        learned = np.zeros(codes.max() + 2, dtype=bool)
        learned[codes[fold.train]] = True
        learned[-1] = False  # where rows without a value, of code -1, have pointed
        shared += int(np.count_nonzero(learned[codes[fold.test]]))
        tested += len(fold.test)
    return shared / tested
