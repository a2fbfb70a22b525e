"""Rows that stand on both sides of a split: GF201.

A row whose features and target are another's is not yet a copy. Where rows say little, as a phone's brand and model
do, many are alike by chance, and as many of them in the same class as chance has it. So the columns are cut in two
halves: a set of equal rows may be copies where one half tells them from all other rows, and such sets are, if there are
more of them than the halves would make were they unrelated, and if they agree on the target more often than chance has
it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tuning.audit.keys import Keys, row_keys, twins
from tuning.audit.table import Audited
from tuning.audit.words import counted
from tuning.linting.finding import Finding

_SURE = 3.0
_FEW = 10
_SHOWN = 3


def copies(rows: Audited) -> Iterator[Finding]:
    """Find rows that a fold is tested on, or that are held out, and that are learned from as well."""
    found = _sets_of_copies(rows)
    if not found:
        return
    set_of = np.full(rows.n_rows, -1)
    for place, members in enumerate(found):
        set_of[members] = place
    tested = _tested_too(rows, set_of)
    learned = np.unique(set_of[: rows.n_train])
    held = [row for row in range(rows.n_train, rows.n_rows) if set_of[row] >= 0 and set_of[row] in learned]
    if not len(tested) and not held:
        return
    crossing = [found[place] for place in np.unique(set_of[[*tested, *held]])]
    named = [tuple(rows.ids[members].tolist()) for members in crossing]
    places = [
        f"{len(tested):,} of the training rows are tested in a fold that learns from a copy" if len(tested) else "",
        f"{len(held):,} of the hold-out have a copy among the training rows" if held else "",
    ]
    yield Finding(
        "GF201",
        f"{counted(sum(map(len, crossing)), 'row')} in {counted(len(crossing), 'set')} are exact copies, target and "
        f"all (such as {' and '.join(map(str, named[0][:_SHOWN]))}): {' and '.join(filter(None, places))}",
        "Keep each row once, or name the column that says which rows belong together, -P groups=COLUMN",
        rows=tuple(named),
    )


def _sets_of_copies(rows: Audited) -> list[NDArray[np.intp]]:
    if rows.n_columns < 2:
        return []
    members, begins = twins(row_keys(rows))
    if not len(begins):
        return []
    sizes = np.diff(np.append(begins, len(members)))
    codes = rows.target_codes[members]
    is_one = np.minimum.reduceat(codes, begins) == np.maximum.reduceat(codes, begins)
    if not _agree(rows, sizes, is_one):
        return []
    half = np.random.default_rng(2).permutation(rows.n_columns) < rows.n_columns // 2
    alike = [_numbers_alike(row_keys(rows, part)) for part in (half, ~half)]
    met_twice = np.minimum(*(n[members[begins]] for n in alike)) == sizes
    expected = max(_met_by_chance(*alike), _met_by_chance(*alike[::-1]))
    if met_twice.sum() <= expected + _SURE * np.sqrt(expected) or not _agree(rows, sizes[met_twice], is_one[met_twice]):
        return []
    kept = np.flatnonzero(met_twice & is_one)
    return [members[begins[each] : begins[each] + sizes[each]] for each in kept]


def _met_by_chance(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    """How often rows whose first half few have would be alike in the second as well, were the two unrelated."""
    few = (first > 1) & (first <= _FEW)
    links = (1 - 1 / first[few]).sum()
    return float(links * (second[few] / len(second)).mean()) if few.any() else 0.0


def _numbers_alike(keys: Keys) -> NDArray[np.int64]:
    """Of each row, how many have its key."""
    _, places, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return np.asarray(counts[places])


def _agree(rows: Audited, sizes: NDArray[np.intp], is_one: NDArray[np.bool_]) -> bool:
    """Whether more sets have one target than chance explains, or all of them have."""
    if is_one.all():
        return bool(len(is_one))
    shares = np.bincount(rows.target_codes) / rows.n_rows
    different, n = np.unique(sizes, return_counts=True)
    by_chance = np.array([(shares**size).sum() for size in different])
    expected, variance = (n * by_chance).sum(), (n * by_chance * (1 - by_chance)).sum()
    return bool(is_one.sum() > expected + _SURE * np.sqrt(variance))


def _tested_too(rows: Audited, set_of: NDArray[np.intp]) -> NDArray[np.intp]:
    """Training rows that some fold tests while it learns from another of their set."""
    found = [np.empty(0, dtype=np.intp)]
    for fold in rows.folds:
        learned = np.unique(set_of[fold.train])
        of_test = set_of[fold.test]
        found.append(fold.test[(of_test >= 0) & np.isin(of_test, learned)])
    return np.unique(np.concatenate(found))
