"""From a feature matrix to what a sweep takes: rows to learn from, and rows that it never sees."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features import FeatureMatrix
from tuning import Dataset


def training_and_holdout(matrix: FeatureMatrix) -> tuple[Dataset, Dataset | None]:
    """Split `matrix` as its rows say; the second part is None where nothing is held out.

    Labels become codes over all of the matrix's labels, so that both parts speak of the same classes.
    """
    classes, codes = np.unique(matrix.rows["label"].to_numpy().astype(str), return_inverse=True)

    def part(rows: NDArray[np.intp]) -> Dataset:
        return Dataset(matrix.X[rows], codes[rows], classes=classes, columns=matrix.columns["name"].to_list())

    return part(matrix.train_rows), part(matrix.holdout_rows) if len(matrix.holdout_rows) else None
