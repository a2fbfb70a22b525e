"""How far new rows stand from those that a model has learned from: the population stability index, group by group.

The index is the sum over bins of (o - e) ln(o / e), with e the share of the training rows in the bin and o that of the
new ones (Siddiqi 2006, where below 0.1 is little and from 0.25 on much). A group is a column of a table, or a feature
set. Bins are tenths of a column of numbers, its commonest values else, the commonest features of a set; and one for
gaps, or for devices without any feature of the set. Few rows differ by chance alone: with b bins, by (b - 1)(1/n + 1/m)
on average (Yurdakul and Naranjo 2020), which stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from release.judging import Floats

LITTLE, MUCH = 0.1, 0.25

_TENTHS = np.arange(1, 10) / 10
_MOST_VALUES = 20
_MOST_FEATURES = 50
_LEAST_SHARE = 1e-4  # an empty bin would make the index infinite
_OTHER, _EMPTY = "other", "empty"


@dataclass(frozen=True, eq=False)
class Bins:
    """The bins of a group, and the share of the training rows in each.

    Attributes
    ----------
    names : sequence of str
        One for each bin.
    shares : sequence of float
    edges : sequence of float
        Of a column of numbers, between its bins; values equal to one belong above it.
    columns : sequence of int
        Of a feature set, all of its places in the matrix; the first have bins of their own.
    """

    names: Sequence[str]
    shares: Sequence[float]
    edges: Sequence[float] = ()
    columns: Sequence[int] = ()

    @property
    def is_of_numbers(self) -> bool:
        """Whether it is of a column of numbers."""
        return bool(self.edges)


@dataclass(frozen=True, eq=False)
class Distribution:
    """Of the rows that a model has learned from."""

    n_rows: int
    groups: Mapping[str, Bins]

    @classmethod
    def of_table(cls, X: pd.DataFrame) -> Distribution:
        """Look at each column of a table."""
        return cls(len(X), {str(name): _column_bins(column) for name, column in X.items()})

    @classmethod
    def of_features(cls, X: sp.csr_matrix, names: Sequence[str], sets: Sequence[str]) -> Distribution:
        """Look at each feature set of a matrix."""
        places = {group: np.flatnonzero(np.asarray(sets) == group) for group in dict.fromkeys(sets)}
        return cls(X.shape[0], {group: _set_bins(X, names, columns) for group, columns in places.items()})

    def as_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        groups = {
            name: {key: list(value) for key, value in vars(bins).items() if len(value)}
            for name, bins in self.groups.items()
        }
        return {"n_rows": self.n_rows, "groups": groups}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Distribution:
        """Return what `as_json` wrote."""
        return cls(int(kept["n_rows"]), {name: Bins(**bins) for name, bins in kept["groups"].items()})


@dataclass(eq=False)
class Tally:
    """New rows, counted bin by bin as they come."""

    learned: Distribution
    n_rows: int = 0
    counts: dict[str, Floats] = field(default_factory=dict)

    def add(self, rows: Any) -> None:
        """Count `rows`: a frame with the columns of the table, or a matrix."""
        self.n_rows += rows.shape[0]
        for name, bins in self.learned.groups.items():
            counted = _in_set(rows, bins) if bins.columns else _in_column(rows[name], bins)
            self.counts[name] = self.counts.get(name, 0) + counted

    def stability(self) -> dict[str, float]:
        """Return the index of each group, the largest first."""
        found = {name: float(_parts(*self._shares(name)).sum()) for name in self.counts}
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def by_chance(self, name: str) -> float:
        """Return what the index of the group would be on average if nothing had changed."""
        n_bins = len(self.learned.groups[name].names)
        return (n_bins - 1) * (1 / max(self.n_rows, 1) + 1 / max(self.learned.n_rows, 1))

    def table(self) -> pd.DataFrame:
        """Return a row for each bin of each group: its shares, and what it adds to the index."""
        return pd.DataFrame(list(self._rows()))

    def _rows(self) -> Iterator[dict[str, Any]]:
        for group, index in self.stability().items():
            expected, observed = self._shares(group)
            parts = _parts(expected, observed)
            for place, name in enumerate(self.learned.groups[group].names):
                yield {
                    "group": group,
                    "psi": index,
                    "by_chance": self.by_chance(group),
                    "bin": name,
                    "training": expected[place],
                    "new": observed[place],
                    "part": parts[place],
                }

    def _shares(self, name: str) -> tuple[Floats, Floats]:
        return np.asarray(self.learned.groups[name].shares), self.counts[name] / max(self.n_rows, 1)


def line(tally: Tally) -> str:
    """Say in one line how far the new rows stand from the training rows."""
    found = tally.stability()
    far = {name: value for name, value in found.items() if value >= LITTLE and value >= 2 * tally.by_chance(name)}
    if not far:
        largest = next(f"{name} {value:.3f}" for name, value in found.items())
        return f"psi below {LITTLE:g} in all {len(found):,}, or no more than chance; largest {largest}"
    shown = ", ".join(f"{name} {value:.3f}" for name, value in list(far.items())[:5])
    more = f" and {len(far) - 5:,} more" if len(far) > 5 else ""
    worst = " (0.25 and more is much)" if max(far.values()) >= MUCH else ""
    return f"psi {shown}{more}{worst}; below {LITTLE:g} or chance in {len(found) - len(far):,} of {len(found):,}"


def _column_bins(column: pd.Series) -> Bins:
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        known = column.dropna().to_numpy(dtype=np.float64)
        edges = np.unique(np.quantile(known, _TENTHS)).tolist() if len(known) else [0.0]
        ends = ["", *(f"{edge:g}" for edge in edges), ""]
        names = [f"{low} to {high}".strip() for low, high in pairwise(ends)]
        bins = Bins([*names, _EMPTY], [], edges)
    else:
        texts = [cell_text(value) for value in column.dropna().value_counts().index[:_MOST_VALUES]]
        bins = Bins([*texts, _OTHER, _EMPTY], [])
    shares = _in_column(column, bins) / max(len(column), 1)
    return Bins(bins.names, shares.tolist(), bins.edges)


def _in_column(column: pd.Series, bins: Bins) -> Floats:
    """Count the values of a column in each bin."""
    counts = np.zeros(len(bins.names))
    missing = column.isna().to_numpy()
    counts[-1] = missing.sum()
    known = column[~missing]
    if bins.is_of_numbers:
        numbers = pd.to_numeric(known.astype(object), errors="coerce").to_numpy(dtype=np.float64)
        numbers = numbers[~np.isnan(numbers)]
        places = np.searchsorted(np.asarray(bins.edges), numbers, side="right")
        counts[:-1] = np.bincount(places, minlength=len(bins.names) - 1)
        return counts
    place = {name: at for at, name in enumerate(bins.names[:-2])}
    for value, count in known.astype(object).value_counts().items():
        counts[place.get(cell_text(value), len(place))] += count
    return counts


def _set_bins(X: sp.csr_matrix, names: Sequence[str], columns: NDArray[np.intp]) -> Bins:
    """Give the commonest features of a set bins of their own; the others, and devices without any, have one each."""
    whole = Bins([*(names[place] for place in columns), _OTHER, _EMPTY], [], columns=columns.tolist())
    common = np.argsort(-_in_set(X, whole)[: len(columns)], kind="stable")
    order = columns[common]
    kept = [names[place] for place in order[:_MOST_FEATURES]]
    bins = Bins([*kept, _OTHER, _EMPTY], [], columns=order.tolist())
    return Bins(bins.names, (_in_set(X, bins) / max(X.shape[0], 1)).tolist(), columns=bins.columns)


def _in_set(X: Any, bins: Bins) -> Floats:
    """Share each row out among its features of the set, in proportion to their values."""
    part = sp.csr_matrix(X[:, list(bins.columns)], dtype=np.float64)
    totals = np.asarray(abs(part).sum(axis=1)).ravel()
    scale = np.divide(1.0, totals, out=np.zeros_like(totals), where=totals > 0)
    masses = np.asarray(sp.diags(scale).dot(abs(part)).sum(axis=0)).ravel()
    n_kept = len(bins.names) - 2
    return np.concatenate([masses[:n_kept], [masses[n_kept:].sum(), float((totals == 0).sum())]])


def _parts(expected: Floats, observed: Floats) -> Floats:
    e, o = (np.maximum(shares, _LEAST_SHARE) for shares in (expected, observed))
    return np.asarray((o - e) * np.log(o / e), dtype=np.float64)


def cell_text(value: Any) -> str:
    """Return a cell as text, the same for 1 and 1.0."""
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole else str(value)
