"""The features of the labelled devices, in memory and on disk.

Four files that other programs open as well: SciPy reads ``matrix.npz``, anything reads Parquet and JSON. Not one
Parquet of 20,000 columns: it would be a hundred times larger, and slower to read than to compute.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from cache.matrix_file import read_csr
from errors import GridfoldError

MATRIX, COLUMNS, ROWS, MANIFEST = "matrix.npz", "columns.parquet", "rows.parquet", "manifest.json"
TRAIN, HOLDOUT = "train", "holdout"

_DAMAGE = (OSError, ValueError, LookupError, TypeError, RecursionError, pl.exceptions.PolarsError)
"""All that the readers of the four formats raise for files that are missing, cut short, or of something else."""

_COLUMN_TYPES = {"name": pl.String, "set": pl.String}
_ROW_TYPES = {"device_id": pl.Int64, "label": pl.String, "split": pl.String}


@dataclass(frozen=True)
class FeatureMatrix:
    """Rows of devices, columns of features.

    Attributes
    ----------
    X : csr_matrix of shape (n_devices, n_columns), float32
    columns : DataFrame of n_columns rows
        ``name`` and ``set``, both String.
    rows : DataFrame of n_devices rows
        ``device_id`` (Int64), ``label`` (String) and ``split`` ('train' or 'holdout').
    manifest : mapping
        ``fingerprint``, ``counts``, ``versions`` and what was asked for; only what JSON can say.
    """

    X: sp.csr_matrix
    columns: pl.DataFrame
    rows: pl.DataFrame
    manifest: Mapping[str, Any]

    @property
    def train_rows(self) -> NDArray[np.intp]:
        """Row numbers that a sweep may see, ascending."""
        return np.flatnonzero(self.rows["split"].to_numpy() == TRAIN)

    @property
    def holdout_rows(self) -> NDArray[np.intp]:
        """Row numbers held out, ascending."""
        return np.flatnonzero(self.rows["split"].to_numpy() == HOLDOUT)

    def save(self, folder: Path) -> None:
        """Write the four files into `folder`, which exists; not compressed, as that takes longer than all the rest."""
        sp.save_npz(folder / MATRIX, self.X, compressed=False)
        self.columns.write_parquet(folder / COLUMNS)
        self.rows.write_parquet(folder / ROWS)
        (folder / MANIFEST).write_text(json.dumps(dict(self.manifest), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> FeatureMatrix:
        """Read what `save` wrote.

        Raises
        ------
        GridfoldError
            A file is missing or damaged, or the four do not belong together.
        """
        for name in (MATRIX, COLUMNS, ROWS, MANIFEST):
            if not (folder / name).is_file():
                raise _not_whole(folder, f"{name} is missing, or no file")
        try:
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            _ = manifest["fingerprint"], manifest["feature_sets"]
            counts = {what: manifest["counts"][what] for what in ("rows", "columns", "values")}
            X = read_csr(folder / MATRIX)
            columns = _table(folder / COLUMNS, _COLUMN_TYPES)
            rows = _table(folder / ROWS, _ROW_TYPES)
        except (*_DAMAGE, pl.exceptions.PanicException) as error:
            raise _not_whole(folder, f"{type(error).__name__}: {error}".splitlines()[0]) from error
        if X.dtype != np.float32 or not np.isfinite(X.data).all():
            raise _not_whole(folder, f"{MATRIX} holds {X.dtype}, or numbers that are not finite")
        found = {"rows": X.shape[0], "columns": X.shape[1], "values": X.nnz}
        if found != counts:
            raise _not_whole(folder, f"{MATRIX} has {found} where {MANIFEST} says {counts}")
        if (len(rows), len(columns)) != X.shape:
            raise _not_whole(
                folder, f"{MATRIX} is {X.shape}, but {ROWS} and {COLUMNS} have {len(rows)}, {len(columns)}"
            )
        return cls(X, columns, rows, manifest)


def _table(file: Path, types: Mapping[str, Any]) -> pl.DataFrame:
    table = pl.read_parquet(file).select(list(types))
    if table.schema != types or table.null_count().sum_horizontal().item():
        raise ValueError(f"{file.name} has columns {dict(table.schema)}, or gaps in them")
    if "split" in types and not table["split"].is_in([TRAIN, HOLDOUT]).all():
        raise ValueError(f"{file.name} has a split that is neither {TRAIN} nor {HOLDOUT}")
    return table


def _not_whole(folder: Path, why: str) -> GridfoldError:
    return GridfoldError(f"{folder}: not a whole feature matrix: {why}. Delete the folder and run featurize again.")
