"""Folds: which rows each candidate learns from, and which it is judged on.

scikit-learn's own splitters make them, so that a GridSearchCV with the same settings judges on the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold, StratifiedKFold

from errors import SpecError
from tuning.dataset import Dataset
from tuning.spec import CvSpec


@dataclass(frozen=True, eq=False)
class Fold:
    """One split of the training rows.

    Attributes
    ----------
    index : int
        Its place among the folds, from 0; names the metric ``split<index>_test_score``.
    train, test : ndarray of int
        Row numbers.
    """

    index: int
    train: NDArray[np.intp]
    test: NDArray[np.intp]


def make_folds(cv: CvSpec, data: Dataset) -> tuple[Fold, ...]:
    """Split the rows of `data`: stratified by class for classification, plain otherwise.

    Raises
    ------
    SpecError
        There are more folds than rows in the smallest class (or, for regression, than rows).
    """
    _check_size(cv, data)
    kind = KFold if data.classes is None else StratifiedKFold
    splitter = kind(cv.folds, shuffle=cv.shuffle, random_state=cv.seed if cv.shuffle else None)
    splits = splitter.split(np.zeros(data.n_rows), data.y)
    return tuple(Fold(index, train, test) for index, (train, test) in enumerate(splits))


def _check_size(cv: CvSpec, data: Dataset) -> None:
    if data.classes is None:
        smallest, of = data.n_rows, "there are"
    else:
        counts = np.bincount(data.y, minlength=len(data.classes))
        smallest, of = int(counts.min()), f"class '{data.classes[counts.argmin()]}' has"
    if cv.folds > smallest:
        advice = f"Use at most {smallest} folds, or more data." if smallest >= 2 else "Use more data."
        raise SpecError(f"cv.folds: {cv.folds} folds, but {of} only {smallest} training rows. {advice}")
