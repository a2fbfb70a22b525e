"""Features of the apps on a device: sets app_labels, text_category and one_hot_category.

An app counts in several columns: itself, its labels, and the categories that those labels name. All are shares of the
same events, so one product counts them together. Most categories are named by a single label and so hold the same apps
as that label: columns that are equal are counted once.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from features.block import Block
from features.feature_sets import APP_LABELS, ONE_HOT_CATEGORY, TEXT_CATEGORY
from features.incidence import DeviceEvents, Incidence, incidence
from features.shares import event_shares

KINDS_OF_COLUMN = {APP_LABELS: ("app", "label"), TEXT_CATEGORY: ("category",), ONE_HOT_CATEGORY: ("category",)}


def app_sets(wanted: Collection[str], visits: DeviceEvents, tables: Mapping[str, pl.LazyFrame]) -> list[Block]:
    """Return the blocks of those of the three sets that are `wanted`, in their order.

    Parameters
    ----------
    wanted : collection of str
    visits : DeviceEvents
    tables : mapping of str to LazyFrame
        ``app_events``, ``app_labels`` and ``label_categories``.
    """
    apps = incidence(tables["app_events"].select("event_id", "app_id"), visits.events["event_id"])
    labels = incidence(tables["app_labels"].select("app_id", "label_id"), apps.columns)
    categories = incidence(named_categories(tables["label_categories"]), labels.columns)
    of_an_app = {
        "app": Incidence(sp.identity(len(apps.columns), dtype=bool, format="csr"), apps.columns),
        "label": labels,
        "category": Incidence(labels.matrix @ categories.matrix, categories.columns),
    }
    kinds = dict.fromkeys(kind for name, kinds in KINDS_OF_COLUMN.items() if name in wanted for kind in kinds)
    shares = shares_of_each(visits.matrix, apps.matrix, {kind: of_an_app[kind].matrix for kind in kinds})
    names = {kind: [f"{kind}={value}" for value in of_an_app[kind].columns] for kind in kinds}
    return [_block(name, names, shares) for name in KINDS_OF_COLUMN if name in wanted]


def _block(feature_set: str, names: Mapping[str, list[str]], shares: Mapping[str, sp.csr_matrix]) -> Block:
    kinds = KINDS_OF_COLUMN[feature_set]
    its_names = [name for kind in kinds for name in names[kind]]
    values = sp.hstack([shares[kind] for kind in kinds], format="csr", dtype=np.float32)
    if feature_set == ONE_HOT_CATEGORY:
        return Block(feature_set, [f"uses_{name}" for name in its_names], (values > 0).astype(np.float32))
    return Block(feature_set, its_names, values)


def named_categories(label_categories: pl.LazyFrame) -> pl.LazyFrame:
    """Return (label_id, category) with the name stripped and lower-cased; a name that is null or blank is dropped."""
    name = pl.col("category").str.strip_chars().str.to_lowercase()
    return label_categories.select("label_id", name).filter(pl.col("category") != "")


def shares_of_each(D: sp.csr_matrix, E: sp.csr_matrix, parts: Mapping[str, sp.csr_matrix]) -> dict[str, sp.csr_matrix]:
    """Return `event_shares` for each of `parts` (items by columns, bool), by one product over distinct columns."""
    A = sp.hstack(list(parts.values()), format="csc")
    first, place = distinct_columns(A)
    shares = event_shares(D, E, A[:, first].tocsr())
    ends = np.cumsum([part.shape[1] for part in parts.values()])
    places = np.split(place, ends[:-1])
    return {name: _taken(shares, columns) for name, columns in zip(parts, places, strict=True)}


def _taken(values: sp.csr_matrix, columns: NDArray[np.intp]) -> sp.csr_matrix:
    """Return ``values[:, columns]`` with the entries of each row sorted again, as `columns` need not ascend."""
    taken = values[:, columns]
    taken.sort_indices()
    return taken


def distinct_columns(A: sp.csc_matrix) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find the columns of `A` (bool, no stored zeros) that are equal.

    Returns
    -------
    first : ndarray of shape (n_distinct,)
        The first column of each kind.
    place : ndarray of shape (n_columns,)
        ``A[:, first][:, place]`` is `A` again.
    """
    A.sort_indices()
    places: dict[bytes, int] = {}
    rows_of_columns = (A.indices[start:stop].tobytes() for start, stop in itertools.pairwise(A.indptr))
    place = np.array([places.setdefault(rows, len(places)) for rows in rows_of_columns], dtype=np.intp)
    return np.unique(place, return_index=True)[1], place
