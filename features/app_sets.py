"""Features of the apps on a device: sets app_labels, text_category and one_hot_category.

An app counts in several columns: itself, its labels, and the categories that those labels name. All are shares of the
same events, so one product counts them together. Most categories are named by a single label and so hold the same apps
as that label: columns that are equal are counted once.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from features.block import Block
from features.feature_sets import APP_LABELS, ONE_HOT_CATEGORY, TEXT_CATEGORY
from features.incidence import DeviceEvents, incidence
from features.shares import event_shares

APP_SETS = (APP_LABELS, TEXT_CATEGORY, ONE_HOT_CATEGORY)


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

    itself = sp.identity(len(apps.columns), dtype=bool, format="csr")
    own = [itself, labels.matrix] if APP_LABELS in wanted else []
    shared = [labels.matrix @ categories.matrix] if {TEXT_CATEGORY, ONE_HOT_CATEGORY} & set(wanted) else []
    shares = shares_of_parts(visits.matrix, apps.matrix, [*own, *shared])

    blocks = []
    if APP_LABELS in wanted:
        names = [f"app={app}" for app in apps.columns] + [f"label={label}" for label in labels.columns]
        blocks.append(Block(APP_LABELS, names, sp.hstack(shares[:2], format="csr")))
    if TEXT_CATEGORY in wanted:
        blocks.append(Block(TEXT_CATEGORY, [f"category={name}" for name in categories.columns], shares[-1]))
    if ONE_HOT_CATEGORY in wanted:
        used = [f"uses_category={name}" for name in categories.columns]
        blocks.append(Block(ONE_HOT_CATEGORY, used, shares[-1].astype(bool).astype(np.float32)))
    return blocks


def named_categories(label_categories: pl.LazyFrame) -> pl.LazyFrame:
    """Return (label_id, category) with the name stripped and lower-cased; a name that is null or blank is dropped."""
    name = pl.col("category").str.strip_chars().str.to_lowercase()
    return label_categories.select("label_id", name).filter(pl.col("category") != "")


def shares_of_parts(D: sp.csr_matrix, E: sp.csr_matrix, parts: Sequence[sp.csr_matrix]) -> list[sp.csr_matrix]:
    """Return `event_shares` for each of `parts` (items by columns, bool), with columns that are equal counted once."""
    A = sp.hstack(parts, format="csc")
    first, place = distinct_columns(A)
    shares = event_shares(D, E, A[:, first].tocsr())
    ends = np.cumsum([part.shape[1] for part in parts])
    return [shares[:, columns] for columns in np.split(place, ends[:-1])]


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
