"""Ensembles of any one estimator: side by side as what they are made of allows."""

from __future__ import annotations

from typing import Any

from tuning.dataset import Dataset
from tuning.learners.base import FoldRows, Learner, Place
from tuning.learners.trees import is_tree


class EnsembleLearner(Learner):
    """What has a parameter ``estimator``, a tree where that is None; other estimators may hold the interpreter lock."""

    def place(self, estimator: Any, n_values: int = 0) -> Place:
        """Threads for trees, else processes."""
        return "threads" if estimator.estimator is None or is_tree(estimator.estimator) else "processes"

    def judged_on(self, estimator: Any, rows: FoldRows) -> Dataset:
        """Return rows that all can read where trees do; what else is fitted may write into its rows."""
        return rows.shared_test() if self.place(estimator) == "threads" else rows.test()
