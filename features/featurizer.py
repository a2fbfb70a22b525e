"""The features of any devices, in the columns that a model was trained on.

A model is of use to others only with this beside it: which columns there are, and which labels and categories an app
has. It travels in the model's folder as Parquet and JSON, with the code of this room, and calls the same
``feature_blocks`` as the matrix to train on, so that there is one definition of every feature. We do not write it as a
scikit-learn transformer: its input is three related tables, and a pickle of it would tie it to this code's layout.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
import scipy.sparse as sp

from features.block import joined
from features.build import silent
from features.matrix import FeatureMatrix
from features.raw_devices import EXAMPLE, SCHEMA, tables_of
from features.sets import Progress, feature_blocks

COLUMNS, ROWS, ASKED = "columns.parquet", "rows.parquet", "featurizer.json"
VOCABULARIES = ("app_labels", "label_categories")

Tables = Mapping[str, pl.LazyFrame]


@dataclass(frozen=True, eq=False)
class Featurizer:
    """What turns devices into rows of a trained model's matrix.

    Attributes
    ----------
    feature_sets : sequence of str
    columns : DataFrame of n_columns rows
        ``name`` and ``set``, as in the matrix that was trained on.
    rows : DataFrame
        ``device_id`` and ``split``: which devices were learned from, and which were held out.
    vocabularies : mapping of str to DataFrame
        The tables ``app_labels`` and ``label_categories`` as they were in training.
    """

    feature_sets: Sequence[str]
    columns: pl.DataFrame
    rows: pl.DataFrame
    vocabularies: Mapping[str, pl.DataFrame]

    loader: ClassVar[str] = "features.featurizer:Featurizer"
    code: ClassVar[Sequence[str]] = ("cache", "errors", "features")
    requires: ClassVar[Sequence[str]] = ("numpy", "polars", "scikit-learn", "scipy")
    schema: ClassVar[Sequence[Mapping[str, Any]]] = SCHEMA
    example: ClassVar[Sequence[Mapping[str, Any]]] = EXAMPLE

    @classmethod
    def of(cls, matrix: FeatureMatrix, tables: Tables) -> Self:
        """Return the featurizer that makes `matrix` of `tables`."""
        return cls(
            tuple(matrix.manifest["feature_sets"]),
            matrix.columns,
            matrix.rows.select("device_id", "split"),
            {name: tables[name].unique(maintain_order=True).collect() for name in VOCABULARIES},
        )

    def transform(self, devices: pl.Series, tables: Tables, progress: Progress = silent) -> sp.csr_matrix:
        """Compute the features of `devices`.

        Parameters
        ----------
        devices : Series of length n_devices, Int64
            Distinct.
        tables : mapping of str to LazyFrame
            ``phone_brand_device_model``, ``events`` and ``app_events``, typed as in ``sources.schema``. Labels and
            categories are those of training, whatever else is given.
        progress : callable
            Told what begins.

        Returns
        -------
        csr_matrix of shape (n_devices, n_columns), float32
            Canonical. A brand, app, label or category that training did not know has no column, but events with
            unknown apps count among the device's events, as they would have in training.
        """
        if not len(devices):
            return sp.csr_matrix(np.zeros((0, len(self.columns)), np.float32))
        known = {**tables, **{name: table.lazy() for name, table in self.vocabularies.items()}}
        blocks = feature_blocks(devices, known, self.feature_sets, progress)
        place = np.array([self._places.get(name, -1) for block in blocks for name in block.names], dtype=np.int32)
        kept = np.flatnonzero(place >= 0)
        values = joined(blocks)[:, kept]
        X = sp.csr_matrix((values.data, place[kept][values.indices], values.indptr), (len(devices), len(self.columns)))
        X.sort_indices()
        return X

    def transform_raw(self, rows: Any) -> sp.csr_matrix:
        """Compute the features of devices as callers send them; see ``features.raw_devices``.

        Raises
        ------
        MalformedInputError
            The first field that is wrong is named.
        """
        return self.transform(*tables_of(rows))

    def save(self, folder: Path) -> None:
        """Write all of it into `folder`, which exists."""
        self.columns.write_parquet(folder / COLUMNS)
        self.rows.write_parquet(folder / ROWS)
        for name, table in self.vocabularies.items():
            table.write_parquet(folder / f"{name}.parquet")
        (folder / ASKED).write_text(json.dumps({"feature_sets": list(self.feature_sets)}), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        asked = json.loads((folder / ASKED).read_text(encoding="utf-8"))
        vocabularies = {name: pl.read_parquet(folder / f"{name}.parquet") for name in VOCABULARIES}
        return cls(
            tuple(asked["feature_sets"]),
            pl.read_parquet(folder / COLUMNS),
            pl.read_parquet(folder / ROWS),
            vocabularies,
        )

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.columns["name"])}
