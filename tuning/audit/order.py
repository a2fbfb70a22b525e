"""The order of rows, which a shuffle mixes: GF203 where it tells the target, GF204 where it is that of time.

Rows that stand together in a file often belong together: one person's, one day's, one batch's. If neighbours share
their target more often than chance has it, a shuffled fold learns from the neighbours of what it is tested on. A file
that is simply sorted by its target says nothing of the kind, and neither do neighbours of one declared group.
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

_SURE = 5.0
_MATERIAL = 0.05
_MIXED = 0.1
_LEAST_TIMES = 10
_TIME = re.compile(r"(?:^|[\W_])(?:date|datetime|time|timestamp|epoch|ts|year|day|created|updated|at)(?:$|[\W_])", re.I)
_DATE = re.compile(r"\d{4}-\d{2}(-\d{2}([T ]|$)|$)")
_SINCE_1990, _UNTIL_2100 = 631_152_000, 4_102_444_800
_UNITS = (1, 1e3, 1e6, 1e9)


def neighbours(rows: Audited) -> Iterator[Finding]:
    """Find a target that neighbouring rows share, where folds part them."""
    for target in rows.targets:
        shared, chance, n = _shared_by_neighbours(rows, target)
        likeness = (shared - chance) / (1 - chance) if chance < 1 else 0.0
        deviations = likeness * np.sqrt(n * (1 - chance) / chance if chance else n)
        sure = n > 1 and likeness >= _MATERIAL and deviations >= _SURE
        if not sure or not _are_parted(rows):
            continue
        how = (
            f"have the same value of {target.name} in {shared:.1%} of cases, where chance has it in {chance:.1%}"
            if target.has_labels
            else f"are alike in {target.name} (correlation {shared:.2f})"
        )
        yield Finding(
            "GF203",
            f"neighbouring rows {how}, and the folds separate them, though they may belong together",
            "If it was recorded in this order, split by it (cv: {folds: 5, by: time}); if rows are of one person or "
            "one session, name their column, -P groups=COLUMN; leave both be if rows to come will be such neighbours",
        )


def _shared_by_neighbours(rows: Audited, target: Target) -> tuple[float, float, int]:
    """How alike neighbours are, how alike they would be by chance, and how many pairs say so."""
    y, groups = target.values, rows.train.groups
    apart = np.ones(len(y) - 1, dtype=bool) if groups is None else groups[1:] != groups[:-1]
    n = int(apart.sum())
    steps = np.count_nonzero(y[1:] != y[:-1])
    if n < 2 or (steps < 2 * len(target.shares) and target.has_labels) or _is_sorted(y):
        return 0.0, 0.0, 0
    if target.has_labels:
        return float((y[1:] == y[:-1])[apart].mean()), target.chance, n
    before, after = y[:-1][apart], y[1:][apart]
    if not before.std() or not after.std():
        return 0.0, 0.0, 0
    return float(np.corrcoef(before, after)[0, 1]), 0.0, n


def _is_sorted(values: NDArray[Any]) -> bool:
    steps = values[1:] >= values[:-1]
    return bool(steps.all() or (values[1:] <= values[:-1]).all())


def _are_parted(rows: Audited) -> bool:
    """Whether a tested row has its neighbour among those learned from more often than not."""
    parted = tested = 0
    for fold in rows.folds:
        learned, judged = (np.zeros(rows.n_train, dtype=bool) for _ in range(2))
        learned[fold.train], judged[fold.test] = True, True
        parted += int(np.count_nonzero(judged[1:] & learned[:-1]))
        tested += int(np.count_nonzero(judged[1:]))
    return parted > tested / 2


def times(rows: Audited) -> Iterator[Finding]:
    """Find columns of time, where folds learn from what comes later than the rows they are tested on."""
    if rows.is_sparse:
        return
    for column in range(rows.n_columns):
        if not _may_be_time(rows, column):
            continue
        moments = _moments(rows, column)
        if moments is None or not (later := _share_later(rows, moments)) > _MIXED:
            continue
        name = rows.name(column)
        yield Finding(
            "GF204",
            f"column {name} is a time, and the folds learn from rows that are later than those they are tested on "
            f"({later:.0%} of them)",
            f"If the rows to come are later ones, split by time: cv: {{folds: 5, by: time, column: {name}}}",
            columns=(rows.plain_name(column),),
        )


def _may_be_time(rows: Audited, column: int) -> bool:
    """Judge by the name, the type and a few rows."""
    kind = rows.kind(column)
    if kind == "M":
        return True
    values = rows.raw(column)
    if kind in "CO":
        first = next((str(each) for each in values[:5] if isinstance(each, str)), "")
        return bool(_DATE.match(first))
    if kind not in "iuf":
        return False
    some = rows.column(column, rows.few).astype(np.float64)
    if np.isnan(some).any() or not _is_sorted(some):
        return False
    return bool(_TIME.search(rows.plain_name(column))) or _are_seconds(some)


def _are_seconds(values: NDArray[np.float64]) -> bool:
    """Whether all are moments of our days since 1970 in seconds, or in thousandths and less."""
    return any(((values >= unit * _SINCE_1990) & (values < unit * _UNTIL_2100)).all() for unit in _UNITS)


def _moments(rows: Audited, column: int) -> NDArray[Any] | None:
    """Return the column as numbers that grow with time; None where it is none after all."""
    if rows.kind(column) in "CO":
        try:
            codes, texts = pd.factorize(np.asarray(rows.raw(column), dtype=object))
            dates = pd.to_datetime(pd.Series(texts), format="ISO8601", utc=True)
        except (ValueError, TypeError):
            return None
        moments = dates.astype(np.int64).to_numpy(np.float64)[codes]
        moments[codes < 0] = np.nan
    else:
        moments = rows.column(column).astype(np.float64)
        if rows.kind(column) != "M" and not _is_sorted(moments):
            return None
    return moments if len(np.unique(moments[~np.isnan(moments)])) >= _LEAST_TIMES else None


def _share_later(rows: Audited, moments: NDArray[np.float64]) -> float:
    """How many of the rows that a fold learns from are later than half of its test rows, over the folds."""
    shares = [np.mean(moments[fold.train] > np.nanmedian(moments[fold.test])) for fold in rows.folds]
    return float(np.mean(shares))
