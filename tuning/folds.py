"""Folds: which rows each candidate learns from, and which it is judged on.

scikit-learn's own splitters make them, so that a GridSearchCV with the same settings judges on the same rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    PredefinedSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    TimeSeriesSplit,
    train_test_split,
)

from errors import SpecError
from tuning.dataset import Dataset
from tuning.spec.cv import CvSpec, splitter_of

Split = tuple[NDArray[np.intp], NDArray[np.intp]]

ALWAYS_TRAINED = -1
MOST = 10_000
"""Folds beyond these are surely a mistake; leaving out one row of 5,000 is the most that anybody means."""


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
        """Row numbers of a share of the training rows, the same for every candidate.

        Stratified by class, and at least one row of each class that the fold trains on: an estimator that has never
        seen a class could not be judged on it.
        """
        if share >= 1.0:
            return self.train
        if data.classes is None:
            size = max(round(share * len(self.train)), 1)
            kept, _ = train_test_split(self.train, train_size=size, random_state=self.index)
            return np.sort(kept)
        return np.sort(self._stratified_share(share, data.y[self.train], len(data.classes)))

    def _stratified_share(self, share: float, strata: NDArray[Any], n_classes: int) -> NDArray[np.intp]:
        size = max(round(share * len(self.train)), n_classes)
        try:
            kept, _ = train_test_split(self.train, train_size=size, stratify=strata, random_state=self.index)
        except ValueError:  # too few rows of some class for scikit-learn to stratify
            kept, _ = train_test_split(self.train, train_size=size, random_state=self.index)
        position = np.flatnonzero(np.isin(self.train, kept))
        shuffled = np.random.RandomState(self.index).permutation(len(strata))
        left_out = [c for c in np.unique(strata) if c not in set(strata[position].tolist())]
        added = [next(place for place in shuffled if strata[place] == c) for c in left_out]
        return np.concatenate([kept, self.train[np.array(added, dtype=np.intp)]])


def make_folds(cv: CvSpec, data: Dataset) -> tuple[Fold, ...]:
    """Split the rows of `data` as `cv` says.

    Raises
    ------
    SpecError
        The data cannot be split so: too few rows or groups, no such column, a fold without rows.
    """
    if cv.kind == "repeats" and cv.folds * (cv.repeats or 1) > MOST:
        raise _too_many()
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # of classes with fewer rows than folds; tuning.feasibility says what comes of it
        try:
            folds = tuple(Fold(index, *split) for index, split in enumerate(islice(_splits(cv, data), MOST + 1)))
        except ValueError as error:
            raise SpecError(f"cv: {' '.join(str(error).split()).rstrip('.')}. Split the rows differently.") from error
    if len(folds) > MOST:
        raise _too_many()
    for fold in folds:
        for rows, side in ((fold.train, "train"), (fold.test, "test")):
            if not len(rows):
                raise SpecError(f"cv: fold {fold.index} has no rows to {side} on. Use fewer folds, or other ones.")
    if not folds:
        raise SpecError("cv: there are no folds. Split the rows differently.")
    return folds


def _too_many() -> SpecError:
    return SpecError(f"cv: there are more than {MOST:,} folds. Use fewer, or fewer repeats.")


def share_tested(folds: Sequence[Fold]) -> float:
    """Rows tested on over rows trained on, over all folds: what the corrected interval of a difference takes."""
    return sum(len(fold.test) for fold in folds) / sum(len(fold.train) for fold in folds)


def _splits(cv: CvSpec, data: Dataset) -> Iterable[Split]:
    if cv.kind == "splitter":
        return _with_splitter(cv, data)
    if cv.kind == "leave":
        return _leaving_groups(data)
    if cv.kind == "time":
        return _by_time(cv, data)
    if cv.kind == "column":
        return _by_column(cv, data)
    _check_size(cv, data)
    return _repeated(cv, data) if cv.kind == "repeats" else _split_once(cv, data, cv.seed if cv.shuffle else None)


def _split_once(cv: CvSpec, data: Dataset, random_state: Any) -> Iterator[Split]:
    kinds = (KFold, StratifiedKFold) if data.groups is None else (GroupKFold, StratifiedGroupKFold)
    splitter = kinds[data.classes is not None](cv.folds, shuffle=cv.shuffle, random_state=random_state)
    yield from splitter.split(np.zeros(data.n_rows), data.y, data.groups)


def _repeated(cv: CvSpec, data: Dataset) -> Iterator[Split]:
    """Split again and again from one random state, as RepeatedKFold does; groups have no such splitter there."""
    random_state = np.random.RandomState(cv.seed)
    for _ in range(cv.repeats or 1):
        yield from _split_once(cv, data, random_state)


def _by_time(cv: CvSpec, data: Dataset) -> Iterator[Split]:
    _refuse_groups(data, "by: time")
    order = np.arange(data.n_rows) if cv.column is None else in_time(_column(cv, data), cv.column)
    for train, test in TimeSeriesSplit(cv.folds, gap=cv.gap).split(order):
        yield order[train], order[test]


def in_time(values: NDArray[Any], name: str) -> NDArray[np.intp]:
    """Row numbers in the order of a column of numbers or dates; rows of one time stay in file order.

    Raises
    ------
    SpecError
        The column holds something else.
    """
    if values.dtype.kind not in "iufMm":
        try:
            values = pd.to_datetime(pd.Series(values), format="ISO8601", utc=True).to_numpy()
        except (ValueError, TypeError) as error:
            raise SpecError(
                f"cv.column: '{name}' holds '{_first_no_date(values)}', which is neither a number nor a date written "
                "year first. Write dates as 2016-05-31."
            ) from error
    return np.argsort(values, kind="stable")


def _first_no_date(values: NDArray[Any]) -> Any:
    dates = pd.to_datetime(pd.Series(values), format="ISO8601", utc=True, errors="coerce")
    return values[int(dates.isna().to_numpy().argmax())]


def _by_column(cv: CvSpec, data: Dataset) -> Iterator[Split]:
    _refuse_groups(data, "column")
    values = _column(cv, data)
    if values.dtype.kind == "f" and not np.array_equal(values, np.floor(values)):
        raise SpecError(f"cv.column: '{cv.column}' holds fractions; expected a fold's number or name in each row.")
    always = values == ALWAYS_TRAINED if values.dtype.kind in "iuf" else values.astype(str) == str(ALWAYS_TRAINED)
    fold_of = np.full(len(values), ALWAYS_TRAINED)
    names, fold_of[~always] = np.unique(values[~always], return_inverse=True)
    if len(names) < 2 and not always.any():
        raise SpecError(f"cv.column: '{cv.column}' has the same value in every row, so no row is left to train on.")
    return PredefinedSplit(fold_of).split()  # type: ignore[no-any-return]


def _leaving_groups(data: Dataset) -> Iterator[Split]:
    if data.groups is None:
        raise SpecError("cv.leave: there are no groups. Name their column of your own table: -P groups=COLUMN.")
    if len(np.unique(data.groups)) < 2:
        raise SpecError("cv.leave: all rows are of one group, so none is left to train on. Split the rows differently.")
    return LeaveOneGroupOut().split(np.zeros(data.n_rows), data.y, data.groups)  # type: ignore[no-any-return]


def _with_splitter(cv: CvSpec, data: Dataset) -> Iterator[Split]:
    """Let a splitter of the user's choice see the rows, the target and the groups, as GridSearchCV does."""
    return splitter_of(cv).split(data.X, data.y, data.groups)  # type: ignore[no-any-return]


def _column(cv: CvSpec, data: Dataset) -> NDArray[Any]:
    name = str(cv.column)
    if name not in data.fold_columns:
        raise SpecError(f"cv.column: the data have no column '{name}'. It must be one of your own table's.")
    return np.asarray(data.fold_columns[name])


def _refuse_groups(data: Dataset, key: str) -> None:
    if data.groups is not None:
        raise SpecError(f"cv: {key} makes the folds by itself and would break groups up. Leave -P groups out.")


def _check_size(cv: CvSpec, data: Dataset) -> None:
    """Say in the spec's words what scikit-learn's splitters would refuse."""
    if data.groups is not None and (n_groups := len(np.unique(data.groups))) < cv.folds:
        raise SpecError(f"cv.folds: {cv.folds} folds, but there are only {n_groups} groups. Use fewer folds.")
    if data.classes is None:
        largest, of = data.n_rows, "there are"
    else:
        counts = np.bincount(data.y, minlength=len(data.classes))
        largest, of = int(counts.max()), f"class '{data.classes[counts.argmax()]}', the largest, has"
    if cv.folds > largest:
        advice = f"Use at most {largest} folds, or more data." if largest >= 2 else "Use more data."
        raise SpecError(f"cv.folds: {cv.folds} folds, but {of} only {largest} training rows. {advice}")
