"""Ways to split the rows: what a spec says, and scikit-learn's splitter that the docs promise for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

from benchmarks.differential.drawing import Draw
from benchmarks.differential.families import Task

Splits = Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]]


@dataclass(frozen=True)
class Cv:
    """One way to split.

    Attributes
    ----------
    kind : str
    text : str
        What stands behind ``cv:``.
    splitter : object
        scikit-learn's.
    """

    kind: str
    text: str
    splitter: Any

    def splits(self, beside: pd.DataFrame) -> Splits:
        """Split rows whose target is ``y`` and whose groups, if any, are ``g``."""
        groups = beside["g"].to_numpy() if "g" in beside else None
        return list(self.splitter.split(np.zeros(len(beside)), beside["y"].to_numpy(), groups))


def random_cv(draw: Draw, task: Task, groups: bool) -> Cv:
    """Draw folds with all of their keys or some, for what is left out must mean the documented default."""
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
