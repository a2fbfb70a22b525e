"""Folds: which rows each candidate learns from, and which it is judged on.

scikit-learn's own splitters make them, so that a GridSearchCV with the same settings judges on the same rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold, train_test_split

from errors import SpecError
from tuning.dataset import Dataset
from tuning.spec.sweep_spec import CvSpec


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

    def train_share(self, share: float, data: Dataset) -> NDArray[np.intp]:
        """Row numbers of a share of the training rows, stratified by class; the same rows for every candidate."""
        if share >= 1.0:
            return self.train
        strata = None if data.classes is None else data.y[self.train]
        size = max(round(share * len(self.train)), 1 if data.classes is None else len(data.classes))
        kept, _ = train_test_split(self.train, train_size=size, stratify=strata, random_state=self.index)
        return np.sort(kept)


def make_folds(cv: CvSpec, data: Dataset) -> tuple[Fold, ...]:
    """Split the rows of `data`: stratified by class for classification, group-wise where there are groups.

    Raises
    ------
    SpecError
        There are more folds than rows in the smallest class (or, for regression, than rows), or than groups.
    """
    _check_size(cv, data)
    splits = _splitter(cv, data).split(np.zeros(data.n_rows), data.y, data.groups)
    return tuple(Fold(index, train, test) for index, (train, test) in enumerate(splits))


def _splitter(cv: CvSpec, data: Dataset) -> Any:
    shuffle = {"shuffle": cv.shuffle, "random_state": cv.seed if cv.shuffle else None}
    if data.groups is None:
        return (KFold if data.classes is None else StratifiedKFold)(cv.folds, **shuffle)
    if data.classes is None:
        return GroupKFold(cv.folds, **shuffle)
    return StratifiedGroupKFold(cv.folds, **shuffle)


def _check_size(cv: CvSpec, data: Dataset) -> None:
    if data.groups is not None and (n_groups := len(np.unique(data.groups))) < cv.folds:
        raise SpecError(f"cv.folds: {cv.folds} folds, but there are only {n_groups} groups. Use fewer folds.")
    if data.classes is None:
        smallest, of = data.n_rows, "there are"
    else:
        counts = np.bincount(data.y, minlength=len(data.classes))
        smallest, of = int(counts.min()), f"class '{data.classes[counts.argmin()]}' has"
    if cv.folds > smallest:
        advice = f"Use at most {smallest} folds, or more data." if smallest >= 2 else "Use more data."
        raise SpecError(f"cv.folds: {cv.folds} folds, but {of} only {smallest} training rows. {advice}")
