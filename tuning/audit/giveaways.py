"""Columns that alone predict the target to the last digit: GF205.

What is true of all rows is true of a few, so a few rows refute nearly every column, and all rows are looked at of the
rest alone. Three ways to give a target away are known here: each value stands with one target; the target is in order
where the column is (so a cut, or a line, or any curve that only rises, says it all); and columns of zeros and ones that
between them write out the classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuning.audit.table import Audited, Target
from tuning.audit.words import listed
from tuning.linting.finding import Finding

_LEAST_ROWS = 50
_A_FEW = 64
_LEAST_OF_A_VALUE = 2
_LEAST_VALUES = 10


def giveaways(rows: Audited) -> Iterator[Finding]:
    """Find the columns from which some target can be read off."""
    if rows.n_train < _LEAST_ROWS:
        return
    for target in rows.targets:
        if len(target.shares) < 2:
            continue
        few = _few_of_each(target)
        columns = _candidates(rows, target, few)
        telling = [name for name, values in columns if _tells(values, target)]
        together = [] if telling else _written_out(rows, target, few)
        if telling or together:
            yield _finding(rows, target, telling, together)


def _finding(rows: Audited, target: Target, telling: Sequence[int], together: Sequence[int]) -> Finding:
    columns = telling or together
    shown = listed([rows.name(each) for each in columns])
    plural, verb = ("", "predicts") if len(columns) == 1 else ("s", "predict")
    words = (
        f"columns {shown} of two values each are {target.name} written out, a column for a class"
        if together
        else f"column{plural} {shown} {verb} {target.name} to the last digit{', each alone' if plural else ''}"
    )
    return Finding(
        "GF205",
        f"{words}, so a score says nothing of rows whose target is not known yet",
        "Leave out what is known only once the target is",
        columns=tuple(rows.plain_name(each) for each in columns),
    )


def _few_of_each(target: Target) -> NDArray[np.intp]:
    """Choose a few rows of each class, or from everywhere among the numbers."""
    order = np.argsort(target.values, kind="stable")
    edges = [0, len(order)]
    if target.has_labels:
        edges = [0, *np.cumsum(np.round(target.shares * len(order)).astype(int))]
    each = max(2, _A_FEW // (len(edges) - 1))
    return np.sort(
        np.concatenate(
            [order[np.unique(np.linspace(begin, end - 1, each).astype(int))] for begin, end in pairwise(edges)]
        )
    )


def _candidates(rows: Audited, target: Target, few: NDArray[np.intp]) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield the columns that a few rows have not refuted, and their values."""
    if rows.is_sparse:
        some = target.values[few]
        filled = _filled(rows, few, some if target.has_labels else np.zeros(len(few), dtype=int))
        left = (filled < _sizes(some)).sum(axis=1) <= 1 if target.has_labels else 2 * filled[:, 0] >= len(few)
        yield from rows.columns_of(np.flatnonzero(left))
        return
    few_of_target = Target(target.name, target.values[few], target.has_labels)
    for column in range(rows.n_columns):
        if not _may_tell(rows.column(column, few), few_of_target):
            continue
        values = rows.column(column)
        some = rows.rows_of_some_values(values) if values.dtype.kind in "iu" else few
        if _may_tell(values[some], Target(target.name, target.values[some], target.has_labels)):
            yield column, values


def _tells(values: NDArray[Any], target: Target) -> bool:
    """Whether `values` say the target of every row, and often enough to say it of others."""
    y, n_values = target.values, len(np.unique(values))
    if 2 <= n_values <= len(values) / _LEAST_OF_A_VALUE and _is_function(values, y):
        return True
    if target.has_labels:
        return _runs(values, y) == len(target.shares) and _is_function(values, y)
    return n_values >= max(_LEAST_VALUES, len(target.shares) // 2) and _is_in_order(values, y)


def _may_tell(values: NDArray[Any], target: Target) -> bool:
    """Whether nothing in these few rows speaks against the column."""
    has_repeats = len(np.unique(values)) < len(values)
    if target.has_labels:
        return (has_repeats or _runs(values, target.values) == len(target.shares)) and _is_function(
            values, target.values
        )
    return (has_repeats and _is_function(values, target.values)) or _is_in_order(values, target.values)


def _is_function(values: NDArray[Any], y: NDArray[Any]) -> bool:
    """Whether rows of one value have one target; a gap is a value."""
    order = np.lexsort((y, values))
    ordered, targets = values[order], y[order]
    same = ordered[1:] == ordered[:-1]
    if values.dtype.kind == "f":
        same |= np.isnan(ordered[1:]) & np.isnan(ordered[:-1])
    return not (same & (targets[1:] != targets[:-1])).any()


def _is_in_order(values: NDArray[Any], y: NDArray[Any]) -> bool:
    """Whether y only rises, or only falls, as the column grows; among rows of one value it may be anything between."""
    return any(
        bool((ordered[1:] >= ordered[:-1]).all())
        for numbers in (values.astype(np.float64), -values.astype(np.float64))
        for ordered in [y[np.lexsort((y, numbers))]]
    )


def _runs(values: NDArray[Any], y: NDArray[Any]) -> int:
    """Into how many stretches of one class the column cuts the rows."""
    ordered = y[np.argsort(values, kind="stable")]
    return 1 + int(np.count_nonzero(ordered[1:] != ordered[:-1]))


def _written_out(rows: Audited, target: Target, few: NDArray[np.intp]) -> Sequence[int]:
    """Return columns of two values that each are one class, if they are all classes or all but one."""
    classes, counts = np.unique(target.values, return_counts=True)
    if not target.has_labels or len(classes) < 3:
        return []
    found: dict[int, int] = {}
    for column, values in rows.columns_of(_of_one_class(rows, target, few)):
        low, high = values.min(), values.max()
        for value in (low, high):
            members = np.flatnonzero(values == value)
            place = int(np.searchsorted(classes, target.values[members[0]]))
            if len(members) == counts[place] and (target.values[members] == classes[place]).all():
                found.setdefault(place, column)
    return sorted(set(found.values())) if len(found) >= len(classes) - 1 else []


def _of_one_class(rows: Audited, target: Target, few: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the columns in which, among a few rows, one class stands apart from all others."""
    classes = target.values[few]
    if rows.is_sparse:
        filled = _filled(rows, few, classes)
    else:
        columns = np.flatnonzero(rows.variety == 2)
        held = [rows.column(int(each), few) for each in columns]
        filled = np.zeros((rows.n_columns, len(np.unique(classes))), dtype=np.int64)
        places = np.unique(classes, return_inverse=True)[1]
        for column, values in zip(columns, held, strict=True):
            filled[column] = np.bincount(places[values == values.max()], minlength=filled.shape[1])
    full, none = (filled == _sizes(classes)).sum(axis=1), (filled == 0).sum(axis=1)
    return np.flatnonzero((full + none == filled.shape[1]) & ((full == 1) | (none == 1)))


def _filled(rows: Audited, few: NDArray[np.intp], classes: NDArray[Any]) -> NDArray[np.int64]:
    """Of each sparse column, how many of `few` rows of each class have a value that is not 0."""
    some = rows.parts[0].tocsr()[few]
    values, places = np.unique(classes, return_inverse=True)
    of_row = np.repeat(places, np.diff(some.indptr))
    counts = np.bincount(some.indices * len(values) + of_row, minlength=rows.n_columns * len(values))
    return np.asarray(counts.reshape(rows.n_columns, len(values)))


def _sizes(classes: NDArray[Any]) -> NDArray[np.int64]:
    return np.asarray(np.unique(classes, return_counts=True)[1])
