"""Digests of what a sweep is run on: arrays, tables, files, each by content alone.

Big arrays are hashed once per sweep and as they lie in memory. Their layout is part of the digest, since the order in
which numbers are added up follows it, and with it the last digits of a score. SHA-256 has instructions of its own in
today's processors, and is twice as fast there as BLAKE2.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from tuning.dataset import Dataset
from tuning.folds import Fold

_DIGITS = 32


def digest_of(*parts: str) -> str:
    """Thirty-two hex digits that stand for texts and their order."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:_DIGITS]


def rows_digest(data: Dataset) -> str:
    """Stand for all that estimators and scorers see of the rows: values, target, classes, weights.

    Groups and what else only makes folds are seen in the folds.
    """
    digest = hashlib.sha256()
    for part in (data.X, data.y, data.classes, data.sample_weight):
        _update(digest, part)
    return digest.hexdigest()[:_DIGITS]


def indices_digest(*indices: NDArray[np.intp]) -> str:
    """Stand for row numbers and their order."""
    digest = hashlib.sha256()
    for each in indices:
        _update(digest, np.asarray(each, dtype=np.int64))
    return digest.hexdigest()[:_DIGITS]


def files_digest(places: Iterable[Path]) -> str:
    """Stand for files and folders by name and content, wherever they lie; what Python has compiled does not count."""
    digest = hashlib.sha256()
    for place in places:
        files = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
        for file in files:
            if "__pycache__" not in file.parts:
                content = file.read_bytes()
                name = file.relative_to(place.parent).as_posix()
                digest.update(f"\0{name}\0{len(content)}\0".encode())
                digest.update(content)
    return digest.hexdigest()[:_DIGITS]


def folds_digest(data: Dataset, folds: Iterable[Fold]) -> str:
    """Stand for what scores are paired by: which rows each fold trains and tests on, and what is true of them.

    Not for the rows' values: two sweeps over other features of the same rows are compared fold by fold.
    """
    digest = hashlib.sha256()
    for part in (data.y, data.classes, data.sample_weight):
        _update(digest, part)
    return digest_of(digest.hexdigest(), *(indices_digest(fold.train, fold.test) for fold in folds))


def classes_digest(data: Dataset) -> str:
    """Stand for the labels to choose from; empty where numbers are predicted."""
    return "" if data.classes is None else digest_of(*map(str, data.classes.tolist()))[:12]


def _update(digest: Any, value: Any) -> None:
    if isinstance(value, pd.DataFrame):
        _say(digest, "table", list(value.shape))
        for place, name in enumerate(value.columns):
            _say(digest, name)
            _update(digest, value.iloc[:, place])
    elif isinstance(value, pd.Series):
        _update_column(digest, value)
    elif sp.issparse(value):
        _update_sparse(digest, value)
    elif isinstance(value, np.ndarray):
        _update_array(digest, value)
    else:
        _say(digest, value)


def _update_sparse(digest: Any, matrix: Any) -> None:
    _say(digest, matrix.format, list(matrix.shape))
    compressed = matrix.format in ("csr", "csc")
    for part in (matrix.data, matrix.indices, matrix.indptr) if compressed else (matrix.toarray(),):
        _update_array(digest, part)


def _update_column(digest: Any, column: pd.Series) -> None:
    kind = column.dtype
    _say(digest, str(kind))
    if isinstance(kind, pd.CategoricalDtype):
        _say(digest, bool(kind.ordered), kind.categories.tolist())
        _update_array(digest, column.cat.codes.to_numpy())
    else:
        _update_array(digest, column.to_numpy() if isinstance(kind, np.dtype) else column.astype(object).to_numpy())


def _update_array(digest: Any, array: NDArray[Any]) -> None:
    layout = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
    _say(digest, array.dtype.str, list(array.shape), layout)
    if array.dtype.hasobject:
        _say(digest, array.tolist())
    elif array.size:
        digest.update(np.ascontiguousarray(array.T if layout == "F" else array).reshape(-1).view(np.uint8).data)


def _say(digest: Any, *words: Any) -> None:
    digest.update(json.dumps(words, default=repr).encode() + b"\0")
