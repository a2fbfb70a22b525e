"""Whether the scorers and the objective of a spec can judge a target, found out before any fit.

A scorer for two classes fails every single fit on three, and so does an objective for three on two: the sweep would end
with their error, but only when all of it has been tried.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import get_scorer_names

from errors import SpecError
from tuning import Dataset, Scorers, SweepSpec, score

_CLASSES = "multi:"
_NUMBERS = ("reg:", "count:", "survival:")
_PROBABLE = ("reg:logistic",)


def check_scorers(spec: SweepSpec, data: Dataset) -> None:
    """Let each scorer judge an estimator that knows no columns.

    Raises
    ------
    SpecError
        The scorer cannot judge this target; it names one that can, if scikit-learn has it.
    """
    for name, error in _unable(spec, data, data):
        reason = str(error).partition(". ")[0].splitlines()[0].removesuffix(".")
        said = f"scoring: {name} cannot judge this target of {_kind(data)} ({reason})."
        raise SpecError(f"{said}{_advice(name, data)}") from error


def check_holdout(spec: SweepSpec, train: Dataset, holdout: Dataset) -> None:
    """Let each scorer judge on the hold-out an estimator that knows no columns; a class may be missing there.

    Raises
    ------
    SpecError
        It names the class, and what to do.
    """
    if train.classes is None:
        return
    counts = [np.bincount(part.y, minlength=len(train.classes)) for part in (train, holdout)]
    for name, error in _unable(spec, train, holdout):
        lacking = np.flatnonzero(counts[1] == 0)
        if len(lacking):
            place = lacking[0]
            raise SpecError(
                f"holdout: class '{train.classes[place]}' has {counts[0][place]:,} rows and none of them among the "
                f"{holdout.n_rows:,} held out, which {name} cannot judge then. Use a larger share (-P holdout), more "
                "rows of it, or -P holdout=0."
            ) from error


def _unable(spec: SweepSpec, train: Dataset, judged: Dataset) -> Iterator[tuple[str, Exception]]:
    """Yield each scorer that cannot judge a dummy of `train` on `judged`, and why."""
    kind = DummyClassifier if train.has_labels else DummyRegressor
    dummy = kind().fit(np.zeros((train.n_rows, 1)), train.labels)
    blind = Dataset(np.zeros((judged.n_rows, 1)), judged.y, judged.classes, sample_weight=judged.sample_weight)
    scorers = Scorers.of(spec)
    for name in spec.scorers:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that the dummy never predicts some class
                score(dummy, blind, scorers.only(name))
        except (ValueError, AttributeError) as error:
            yield name, error


def check_objective(spec: SweepSpec, objectives: list[object], data: Dataset) -> None:
    """Refuse XGBoost's objectives that do not go with a target of two classes: for more, or for numbers.

    One for numbers makes scores rather than probabilities. Scorers that only rank or count take them, as in
    GridSearchCV; those of probabilities refuse them in every fit.

    Raises
    ------
    SpecError
    """
    if data.classes is None or len(data.classes) != 2:
        return
    numbers = [name for name in objectives if isinstance(name, str) and name.startswith(_NUMBERS)]
    scorers = Scorers.of(spec).by_name
    strict = [name for name, scorer in scorers.items() if getattr(scorer, "_response_method", "") == "predict_proba"]
    if strict and numbers and len(numbers) == len(objectives) and not set(numbers) & set(_PROBABLE):
        raise SpecError(
            f"objective: {numbers[0]} predicts numbers and not the probabilities that {strict[0]} judges. Leave it out "
            "of the spec, XGBClassifier chooses by itself; or take xgboost.XGBRegressor and a scorer of numbers."
        )
    many = [name for name in objectives if isinstance(name, str) and name.startswith(_CLASSES)]
    if many:
        raise SpecError(
            f"objective: {many[0]} is for three classes or more, and the target has two ({data.classes[0]} and "
            f"{data.classes[1]}). Leave it out of the spec: XGBClassifier chooses by itself."
        )


def _kind(data: Dataset) -> str:
    if data.n_targets > 1:
        return f"{data.n_targets} columns"
    return "numbers" if data.classes is None else f"{len(data.classes)} classes"


def _advice(name: str, data: Dataset) -> str:
    several = data.n_targets > 1
    if several and (data.y.dtype.kind not in "iub" or len(np.unique(data.y)) > 2):
        return " Use one that takes several columns, or a function of your own: NAME: {function: mine.score}."
    endings = ("_macro",) if several else ("_ovr", "_macro")
    better = [f"{name}{ending}" for ending in endings if f"{name}{ending}" in get_scorer_names()]
    return f" Use {better[0]}." if better else " Use another scorer."
