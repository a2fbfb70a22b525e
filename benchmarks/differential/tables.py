"""The rows that are drawn, and the file that holds them.

Both sides read the file: we as the command does it, the peer as a notebook would, so that what a label is comes from
the file and not from the memory of the one who drew it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from benchmarks.differential.drawing import Draw
from benchmarks.differential.families import Task

FEATURES = ("dense", "missing", "categories", "sparse")
GROUPS = ("in order", "numbers", "text")
"""Groups numbered as they first appear in the file, or named otherwise."""
LABELS: Mapping[str, tuple[Any, ...]] = {
    "text": ("low", "mid", "high", "top"),
    "yes and no": ("no", "yes"),
    "from 0": (0, 1, 2, 3),
    "from 1": (1, 2, 3, 4),
    "around 0": (-1, 1),
    "far apart": (-7, 5, 40),
    "true and false": (False, True),
    "whole floats": (1.0, 2.0, 3.0),
}


@dataclass(frozen=True, eq=False)
class Table:
    """Rows as a person would have them.

    Attributes
    ----------
    features : str
        One of ``FEATURES``.
    suffix : str
        Of the table, ".csv" or ".parquet"; beside ".npz" where the features are sparse.
    frame : DataFrame
        All columns; the target is ``y``, weights ``w``, groups ``g``, times ``t``, folds ``f``.
    matrix : csr_matrix or None
        The features, where they are sparse.
    """

    features: str
    suffix: str
    frame: pd.DataFrame
    matrix: sp.csr_matrix | None

    def write(self, folder: Path) -> dict[str, str]:
        """Write the files into `folder`; what the command is told of them."""
        path = folder / f"rows{self.suffix}"
        if self.suffix == ".csv":
            self.frame.to_csv(path, index=False)
        else:
            self.frame.to_parquet(path)
        asked = {"features": str(path), "target": "y"}
        if self.matrix is not None:
            sp.save_npz(folder / "features.npz", self.matrix)
            asked = {"features": str(folder / "features.npz"), "target": f"{path}:y"}
        roles = {"weights": "w", "groups": "g"}
        return asked | {role: name for role, name in roles.items() if name in self.frame.columns}

    def read(self, folder: Path) -> tuple[Any, pd.DataFrame]:
        """Read the files back as a notebook would: the features, and the columns beside them."""
        path = folder / f"rows{self.suffix}"
        frame = pd.read_csv(path) if self.suffix == ".csv" else pd.read_parquet(path)
        beside = [name for name in ("y", "w", "g", "t", "f") if name in frame.columns]
        X: Any = frame.drop(columns=beside) if self.matrix is None else sp.load_npz(folder / "features.npz")
        return X, frame[beside]


def random_table(
    draw: Draw, task: Task, features: str, labels: tuple[Any, ...], weighted: bool, groups: str, cv: str
) -> Table:
    """Draw a table.

    Parameters
    ----------
    draw : Draw
    task : str
    features : str
        One of ``FEATURES``.
    labels : tuple
        Of the classes; empty for numbers.
    weighted : bool
    groups : str
        One of ``GROUPS``; empty for none.
    cv : str
        The kind of folds, for the column that some need.
    """
    n_rows, n_columns = int(draw.numbers.integers(60, 160)), int(draw.numbers.integers(3, 7))
    X = draw.numbers.normal(size=(n_rows, n_columns)).round(int(draw.numbers.integers(1, 9)))
    if features == "sparse":
        X *= draw.numbers.random(X.shape) < 0.6
    signal = X[:, 0] + 0.5 * X[:, 1] + draw.numbers.normal(0, 0.7, n_rows)
    frame = pd.DataFrame()
    if features != "sparse":
        frame = _frame(draw, X, features, signal)
    frame["y"] = _numbers(draw, signal) if task == "numbers" else _classes(draw, signal, labels)
    if weighted:
        frame["w"] = draw.numbers.choice([0.25, 0.5, 1.0, 3.0], n_rows)
    if groups:
        frame["g"] = _groups(draw, n_rows, groups, few=cv == "leave group")
    if cv == "by time":
        frame["t"] = pd.Timestamp("2016-05-01") + pd.to_timedelta(draw.numbers.permutation(n_rows), unit="D")
    if cv == "column":
        frame["f"] = draw.numbers.integers(-1 if draw.chance(0.3) else 0, 3, n_rows)
    dtype = draw.one([np.float32, np.float64])
    matrix = sp.csr_matrix(X.astype(dtype)) if features == "sparse" else None
    return Table(features, draw.one([".csv", ".parquet"]), frame, matrix)


def _frame(draw: Draw, X: NDArray[np.float64], features: str, signal: NDArray[np.float64]) -> pd.DataFrame:
    if features == "missing":
        X = np.where(draw.numbers.random(X.shape) < 0.1, np.nan, X)
    frame = pd.DataFrame(X, columns=[f"x{place}" for place in range(X.shape[1])])
    if draw.chance(0.3):
        frame["whole"] = draw.numbers.integers(0, 5, len(frame))
    if features != "categories":
        return frame
    frame["x0"] = frame["x0"].round()  # so that an encoder of all columns meets values again
    towns = np.array(["Ulm", "Bern", "Graz", "Rome"], dtype=object)
    frame["town"] = towns[np.clip(np.round(signal + draw.numbers.normal(0, 1, len(frame))), 0, 3).astype(int)]
    if draw.chance(0.3):
        frame["member"] = draw.numbers.random(len(frame)) < 0.5
    return frame[["town", *frame.columns.drop("town")]] if draw.chance(0.5) else frame


def _numbers(draw: Draw, signal: NDArray[np.float64]) -> NDArray[Any]:
    return np.round(signal * 3).astype(np.int64) if draw.chance(0.25) else signal.round(6)


def _classes(draw: Draw, signal: NDArray[np.float64], labels: tuple[Any, ...]) -> list[Any]:
    """Cut the signal into one range per class, the last somewhat rarer, classes in any order of the labels."""
    edges = np.linspace(0, 1, len(labels) + 1)[1:-1] ** 0.8
    codes = np.searchsorted(np.quantile(signal, edges), signal)
    places = draw.numbers.permutation(len(labels))
    return [labels[places[code]] for code in codes]


def _groups(draw: Draw, n_rows: int, kind: str, few: bool) -> Any:
    places = draw.numbers.integers(0, 4 if few else int(draw.numbers.integers(9, 20)), n_rows)
    if kind == "text":
        return [f"house {place}" for place in places]
    return pd.factorize(places)[0] if kind == "in order" else places * 7 % 20
