"""Whether the scorers and the objective of a spec can judge a target, found out before any fit.

A scorer for two classes fails every single fit on three, and so does an objective for three on two: the sweep would end
with their error, but only when all of it has been tried.
"""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import get_scorer_names

from errors import SpecError
from tuning import Dataset, SweepSpec, score

_CLASSES = "multi:"


def check_scorers(spec: SweepSpec, data: Dataset) -> None:
    """Let each scorer judge an estimator that knows no columns.

    Raises
    ------
    SpecError
        The scorer cannot judge this target; it names one that can, if scikit-learn has it.
    """
    kind = DummyRegressor if data.classes is None else DummyClassifier
    blind = Dataset(np.zeros((data.n_rows, 1)), data.y, data.classes, sample_weight=data.sample_weight)
    dummy = kind().fit(blind.X, blind.labels)
    for name in spec.scorers:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that the dummy never predicts some class
                score(dummy, blind, [name])
        except (ValueError, AttributeError) as error:
            what = "numbers" if data.classes is None else f"{len(data.classes)} classes"
            reason = str(error).partition(". ")[0].splitlines()[0].removesuffix(".")
            raise SpecError(f"scoring: {name} cannot judge this target of {what} ({reason}).{_advice(name)}") from error


def check_objective(objectives: list[object], data: Dataset) -> None:
    """Refuse XGBoost's objectives for three classes and more where there are two.

    Raises
    ------
    SpecError
    """
    many = [name for name in objectives if isinstance(name, str) and name.startswith(_CLASSES)]
    if many and data.classes is not None and len(data.classes) == 2:
        raise SpecError(
            f"objective: {many[0]} is for three classes or more, and the target has two ({data.classes[0]} and "
            f"{data.classes[1]}). Leave it out of the spec: XGBClassifier chooses by itself."
        )


def _advice(name: str) -> str:
    better = [f"{name}{ending}" for ending in ("_ovr", "_macro") if f"{name}{ending}" in get_scorer_names()]
    return f" Use {better[0]}." if better else " Use another scorer."
