"""Ways to split the rows: what a spec says, and scikit-learn's splitter that the docs promise for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    PredefinedSplit,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
    TimeSeriesSplit,
)

from benchmarks.differential.drawing import Draw
from benchmarks.differential.families import Task

KINDS = ("shuffled", "in file order", "repeats", "by time", "column", "splitter", "leave group")
Splits = Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]]


@dataclass(frozen=True)
class Cv:
    """One way to split.

    Attributes
    ----------
    kind : str
        One of ``KINDS``.
    text : str
        What stands behind ``cv:``.
    splitter : object or None
        scikit-learn's; None where it is made of a column of folds.
    """

    kind: str
    text: str
    splitter: Any

    def splits(self, beside: pd.DataFrame) -> Splits:
        """Split rows whose target is ``y``, with groups ``g``, times ``t`` and folds ``f`` where there are such."""
        splitter = self.splitter or PredefinedSplit(beside["f"].to_numpy())
        order = np.arange(len(beside))
        if "t" in beside:
            order = np.argsort(pd.to_datetime(beside["t"]).to_numpy(), kind="stable")
        groups = beside["g"].to_numpy() if "g" in beside else None
        pairs = splitter.split(np.zeros(len(beside)), beside["y"].to_numpy(), groups)
        return [(order[train], order[test]) for train, test in pairs]


def random_cv(draw: Draw, task: Task, groups: bool) -> Cv:
    """Draw a way to split; plain folds with all of their keys or some, for a key left out means its default."""
    if draw.chance(0.7):
        return _folds(draw, task, groups)
    folds, seed = draw.one([2, 3]), draw.one([0, 1, 7])
    if groups:
        return Cv("leave group", "{leave: group}", LeaveOneGroupOut())
    kind = draw.one(["repeats", "by time", "column", "splitter"])
    if kind == "repeats":
        repeated = RepeatedStratifiedKFold if task == "classes" else RepeatedKFold
        splitter = repeated(n_splits=folds, n_repeats=2, random_state=seed)
        return Cv(kind, f"{{folds: {folds}, repeats: 2, seed: {seed}}}", splitter)
    if kind == "by time":
        gap = draw.one([0, 2])
        text = f"{{folds: {folds}, by: time, column: t{f', gap: {gap}' if gap else ''}}}"
        return Cv(kind, text, TimeSeriesSplit(folds, gap=gap))
    if kind == "column":
        return Cv(kind, "{column: f}", None)
    name = "StratifiedShuffleSplit" if task == "classes" else "ShuffleSplit"
    shuffled = StratifiedShuffleSplit if task == "classes" else ShuffleSplit
    text = f"{{class: sklearn.model_selection.{name}, n_splits: 2, test_size: 0.3, random_state: {seed}}}"
    return Cv(kind, text, shuffled(n_splits=2, test_size=0.3, random_state=seed))


def _folds(draw: Draw, task: Task, groups: bool) -> Cv:
    folds, seed, shuffle = draw.one([2, 2, 3, 3, 4]), draw.one([0, 1, 7]), draw.chance(0.7)
    said = [f"folds: {folds}"]
    if not shuffle or draw.chance(0.5):
        said.append(f"shuffle: {str(shuffle).lower()}")
    if seed or draw.chance(0.5):
        said.append(f"seed: {seed}")
    kinds = {
        ("classes", False): StratifiedKFold,
        ("numbers", False): KFold,
        ("classes", True): StratifiedGroupKFold,
        ("numbers", True): GroupKFold,
    }
    splitter = kinds[task, groups](folds, shuffle=shuffle, random_state=seed if shuffle else None)
    return Cv("shuffled" if shuffle else "in file order", "{" + ", ".join(said) + "}", splitter)
