"""A person's own data: one file of features, and which column is the target, the group or the weight of a row.

A sparse matrix has no columns to name, so there the target is ``FILE:COLUMN``, in a table with as many rows; groups and
weights are columns of that same table. Nothing is copied into the cache: the file is there, and it alone is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from cache.matrix_file import MatrixError, read_csr
from errors import SourceError, did_you_mean
from sources.frame_file import read_frame
from sources.own_columns import as_features, as_labels, as_numbers
from sources.own_file import SPARSE, digest_of, existing
from sources.target_columns import target_columns


@dataclass(frozen=True, eq=False)
class OwnTable:
    """Rows as they stand in the file.

    Attributes
    ----------
    source : str
        The file of features, as the person typed it.
    digest : str
        SHA-256 over the content of the files.
    X : DataFrame or csr_matrix of shape (n_rows, n_columns)
        Columns of a frame are int64, float64, bool or category.
    target : Series of shape (n_rows,), or DataFrame of shape (n_rows, n_targets)
        As read, without gaps, by the columns' names; a frame where a person named several columns.
    groups : ndarray of shape (n_rows,), int64, or None
        Rows with equal numbers belong together.
    weights : ndarray of shape (n_rows,), float64, or None
        At least 0, and not all 0.
    fold_columns : mapping of str to ndarray of shape (n_rows,)
        The column that the folds are made from, where there is one.
    frame : DataFrame of shape (n_rows, n_all_columns) or None
        All columns as read, those that are no features too; None for a matrix.
    """

    source: str
    digest: str
    X: Any
    target: pd.Series | pd.DataFrame
    groups: NDArray[np.int64] | None = None
    weights: NDArray[np.float64] | None = None
    fold_columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    frame: pd.DataFrame | None = None

    @property
    def schema(self) -> dict[str, str]:
        """Data types of the features by name; empty where they have no names."""
        if not isinstance(self.X, pd.DataFrame):
            return {}
        return {str(name): str(dtype) for name, dtype in self.X.dtypes.items()}


def read_own_table(features: str, target: str, groups: str = "", weights: str = "", folds: str = "") -> OwnTable:
    """Read the files that a person named.

    Parameters
    ----------
    features : str
        A table as ``own_file`` knows them, or a ``.npz`` that ``scipy.sparse.save_npz`` wrote.
    target : str
        A column of the table, or several with commas between them; with ``.npz``, ``FILE:COLUMN``.
    groups, weights, folds : str
        Columns beside the target; empty where there are none. The spec names the one for folds.

    Raises
    ------
    SourceError
        One line about the first thing that is wrong with a file or a column.
    """
    path, kind = existing(features, "features", sparse=True)
    if kind == SPARSE:
        return _sparse(path, features, target, groups, weights, folds)
    read = read_frame(path, features, target, groups, folds)
    frame = _with_named_index(read, target, (groups, weights, folds))
    roles = _Roles(frame, features, target, groups, weights, folds)
    rest = frame.drop(columns=roles.names)
    if rest.columns.empty:
        raise SourceError(f"{features}: no column is left to learn from beside {', '.join(roles.names)}.")
    X = as_features(rest, features)
    digest = digest_of(path, features)
    asked = (roles.target(), roles.groups(), roles.weights())
    return OwnTable(features, digest, X, *asked, roles.folds(), frame)


def _sparse(path: Path, features: str, target: str, groups: str, weights: str, folds: str) -> OwnTable:
    file, _, column = target.rpartition(":")
    if not file:
        raise SourceError(
            f"-P target={target}: a sparse matrix has no named columns. Name a table beside it and its column, as in "
            "-P target=labels.csv:label."
        )
    labels, _ = existing(file, "target", sparse=False)
    frame = read_frame(labels, file, column, groups, folds)
    named = _with_named_index(frame, column, (groups, weights, folds))
    roles = _Roles(named, file, column, groups, weights, folds)
    X = _matrix(path, features)
    if X.shape[0] != len(frame):
        raise SourceError(
            f"{file}: the table has {len(frame):,} rows, and {features} has {X.shape[0]:,}. They must be the same "
            "rows, in the same order."
        )
    digest = hashlib.sha256(f"{digest_of(path, features)} {digest_of(labels, file)}".encode()).hexdigest()
    return OwnTable(features, digest, X, roles.target(), roles.groups(), roles.weights(), fold_columns=roles.folds())


def read_matrix(file: str, parameter: str) -> sp.csr_matrix:
    """Read a ``.npz`` matrix that a person named.

    Raises
    ------
    SourceError
        It is not there, or is none.
    """
    path, kind = existing(file, parameter, sparse=True)
    if kind != SPARSE:
        raise SourceError(
            f"-P {parameter}={file}: the model takes a matrix, whose columns have no names. Give a .npz written by "
            "scipy.sparse.save_npz."
        )
    return _matrix(path, file)


def _matrix(path: Path, shown_as: str) -> sp.csr_matrix:
    try:
        matrix = read_csr(path)
    except MatrixError as error:
        raise SourceError(
            f"{shown_as}: this is not a sparse matrix ({error}). Write it with scipy.sparse.save_npz, or give a table."
        ) from error
    if np.isinf(matrix.data).any():
        raise SourceError(f"{shown_as}: the matrix holds infinity. Cap the value, or leave it out.")
    matrix.eliminate_zeros()  # the model will see zeros as absent, however its rows come
    return matrix if matrix.data.dtype.kind == "f" else matrix.astype(np.float32)


def _with_named_index(frame: pd.DataFrame, target: str, others: tuple[str, ...]) -> pd.DataFrame:
    """Make a column of an index that pandas wrote, where the person names it; else it is no feature."""
    wanted = (*target_columns(target, [*frame.columns, *frame.index.names]), *others)
    levels = [name for name in frame.index.names if name in wanted]
    return frame.reset_index(level=levels) if levels else frame


class _Roles:
    """The columns of a table that are not features."""

    def __init__(self, frame: pd.DataFrame, shown_as: str, target: str, groups: str, weights: str, folds: str) -> None:
        self._frame = frame
        self._shown_as = shown_as
        self._column = {"groups": groups, "weights": weights, "folds": folds}
        self._targets = target_columns(target, frame.columns)
        asked = [(f"-P target={target}", name) for name in self._targets] + [
            (f"cv.column: {name}" if role == "folds" else f"-P {role}={name}", name)
            for role, name in self._column.items()
            if name
        ]
        self.names = [name for _, name in asked]
        for typed, name in asked:
            if name not in frame.columns:
                advice = did_you_mean(name, frame.columns) or f" The file has {_listed(list(frame.columns))}."
                raise SourceError(f"{typed}: {shown_as} has no column '{name}'.{advice}")
        twice = [name for place, name in enumerate(self._targets) if name in self._targets[:place]]
        if twice:
            raise SourceError(f"-P target={target}: column '{twice[0]}' is named twice. Name each column once.")
        if len(set(self.names)) < len(self.names):
            raise SourceError(
                f"{shown_as}: target, groups, weights and cv.column must be different columns, got {self.names}."
            )

    def target(self) -> pd.Series | pd.DataFrame:
        columns = {name: as_labels(*self._whole("target", name)) for name in self._targets}
        return pd.DataFrame(columns) if len(columns) > 1 else columns[self._targets[0]]

    def groups(self) -> NDArray[np.int64] | None:
        if not self._column["groups"]:
            return None
        column, where = self._whole("groups", self._column["groups"])
        try:
            codes, _ = pd.factorize(column, sort=True)
        except TypeError as error:
            raise SourceError(f"{where} holds lists. Name a column of single values.") from error
        return codes.astype(np.int64)

    def weights(self) -> NDArray[np.float64] | None:
        if not self._column["weights"]:
            return None
        column, where = self._whole("weights", self._column["weights"])
        weights = as_numbers(column, where)
        if (weights < 0).any():
            row = int((weights < 0).argmax())
            raise SourceError(f"{where} is {weights[row]:g} in row {row + 1:,}. A weight is 0 or more.")
        if not weights.any():
            raise SourceError(f"{where} is 0 in every row, so no row counts. Name another column.")
        return weights

    def folds(self) -> dict[str, NDArray[Any]]:
        name = self._column["folds"]
        return {name: self._whole("folds", name)[0].to_numpy()} if name else {}

    def _whole(self, role: str, name: str) -> tuple[pd.Series, str]:
        """Return a column without gaps, and how a sentence about it begins."""
        column, where = self._frame[name].reset_index(drop=True), f"{self._shown_as}: {role} '{name}'"
        gaps = column.isna()
        if gaps.any():
            raise SourceError(
                f"{where} is empty in {gaps.sum():,} of {len(column):,} rows, row {gaps.argmax() + 1:,} "
                "the first. Fill them, or leave those rows out."
            )
        return column, where


def _listed(names: list[str], most: int = 12) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
