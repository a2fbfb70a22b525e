"""Learners: how one family of estimators is fitted, and what its fits share.

A new learner is a file here and a line in ``LEARNERS``. A library is imported when an estimator of its own is met, and
not before: most sweeps need one of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any

from tuning.learners.base import Learner

LEARNERS: Mapping[str, Sequence[str]] = {
    "xgboost": [".xgboost:XgboostLearner"],
    "lightgbm": [".lightgbm:LightgbmLearner"],
    "catboost": [".catboost:CatboostLearner"],
    "sklearn": [
        ".pipeline:PipelineLearner",
        ".forests:ForestLearner",
        ".forests:BaggingLearner",
        ".boosting:GradientBoostingLearner",
        ".boosting:HistGradientBoostingLearner",
        ".adaboost:AdaBoostLearner",
        ".trees:TreeLearner",
        ".neighbours:NeighboursLearner",
        ".thresholds:ThresholdLearner",
    ],
    "imblearn": [".pipeline:PipelineLearner"],
}
"""By the package that an estimator's class comes from, who may know it; the first who does is asked."""

GENERAL = Learner()
"""The plain way, for everybody else."""

__all__ = ["GENERAL", "LEARNERS", "Learner", "hold_to", "learner_for"]


def learner_for(estimator: Any) -> Learner:
    """Return the learner for the exact class of `estimator`."""
    package = type(estimator).__module__.partition(".")[0]
    learners = (_learner(place) for place in LEARNERS.get(package, ()))
    return next((learner for learner in learners if learner.knows(estimator)), GENERAL)


def hold_to(estimator: Any, threads: int) -> Any:
    """Hold `estimator`, and every estimator that it has as a parameter, to so many threads."""
    held = learner_for(estimator).with_threads(estimator, threads)
    for part in estimator.get_params(deep=True).values():
        if hasattr(part, "set_params") and not isinstance(part, type):
            learner_for(part).with_threads(part, threads)
    return held


@cache
def _learner(place: str) -> Learner:
    module, _, name = place.partition(":")
    learner: Learner = getattr(import_module(module, __name__), name)()
    return learner
