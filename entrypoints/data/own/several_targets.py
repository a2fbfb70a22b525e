"""Whether a spec can learn several columns at once, found out before any fit.

Tags of estimators do not tell: XGBClassifier learns several columns of two classes and says that it learns one, and a
pipeline says what its last step does. So the first few candidates are tried, on a few of the rows and in few rounds.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.utils import get_tags

from errors import SpecError
from tuning import Candidate, Dataset, Scorers, SweepSpec, score
from tuning.learners import learner_for
from tuning.spec.estimators import for_candidate, make_estimator

_CANDIDATES = 3
_ROWS = 200
_ROWS_OF_EACH_CLASS = 10
_ROUNDS = 0.01
_LONGEST_REASON = 160


def check_several_targets(spec: SweepSpec, data: Dataset, names: Sequence[str]) -> None:
    """Refuse what cannot learn the target of `data`.

    Parameters
    ----------
    spec : SweepSpec
    data : Dataset
        Its target has several columns.
    names : sequence of str
        Theirs.

    Raises
    ------
    SpecError
        Rounds are to be chosen, no candidate takes more than one column, or a scorer does not take what they predict.
    """
    shown = ", ".join(names)
    if spec.early_stopping is not None:
        raise SpecError(
            f"early_stopping: rounds can be chosen for one target, not for {len(names)} ({shown}). Remove the key, and "
            "put numbers of rounds into the grid."
        )
    few = data.rows(_few(data))
    unfitted = make_estimator(spec.estimator, spec.fixed)
    models: list[Any] = []
    reason = ""
    for candidate in _first(spec):
        try:
            models.append(_fitted(unfitted, candidate, few, few.y))
        except Exception as error:  # whatever it is, it would be raised in every fit
            reason = reason or _said(error)
    last = getattr(unfitted, "steps", [("", unfitted)])[-1][1]
    kind, cure = type(last).__name__, f"MultiOutput{'Classifier' if is_classifier(unfitted) else 'Regressor'}"
    if models:
        _check_judged(spec, models, few, kind, cure)
    elif _learns_one(unfitted, spec, few):
        raise SpecError(
            f"-P target={','.join(names)}: {kind} does not learn these {len(names)} columns at once ({reason}). Put it "
            f"into sklearn.multioutput.{cure}, which fits one for each, or name one column."
        )
    elif not get_tags(last).target_tags.single_output:
        raise SpecError(
            f"-P target={','.join(names)}: {kind} cannot learn these {len(names)} columns ({reason}). Write them as "
            "it takes them, or choose another estimator."
        )


def _check_judged(spec: SweepSpec, models: Sequence[Any], rows: Dataset, kind: str, cure: str) -> None:
    """Refuse a scorer that cannot read what any of `models` predicts: libraries lay out probabilities differently."""
    scorers = Scorers.of(spec)
    for name in spec.scorers:
        errors: list[Exception] = []
        for model in models:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    score(model, rows, scorers.only(name))
            except Exception as error:  # of a library, or of the user's own function
                errors.append(error)
        if len(errors) == len(models):
            raise SpecError(
                f"scoring: {name} cannot judge what {kind} predicts of {rows.n_targets} columns ({_said(errors[0])}). "
                f"Put {kind} into sklearn.multioutput.{cure}, or use another scorer."
            ) from errors[0]


def _said(error: Exception) -> str:
    first_line = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return first_line.strip().rstrip(".:")[:_LONGEST_REASON]


def _first(spec: SweepSpec) -> list[Candidate]:
    first = [spec.space.at(0)] if spec.space.size else []
    return list(dict.fromkeys([*first, *spec.space.sample(_CANDIDATES - 1, seed=0)]))


def _few(data: Dataset) -> NDArray[np.intp]:
    """Row numbers of a few rows, and of each class of each column."""
    rows = {int(row) for row in range(min(_ROWS, data.n_rows))}
    if data.has_labels:
        for column in data.y.T:
            for label in np.unique(column):
                rows.update(np.flatnonzero(column == label)[:_ROWS_OF_EACH_CLASS].tolist())
    return np.array(sorted(rows), dtype=np.intp)


def _fitted(unfitted: Any, candidate: Candidate, rows: Dataset, y: NDArray[Any]) -> Any:
    estimator = for_candidate(unfitted, candidate.params, threads=1)
    learner = learner_for(estimator)
    learner.with_rounds(estimator, _ROUNDS)
    learner.with_threads(estimator, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return estimator.fit(rows.X.copy(), y.copy())


def _learns_one(unfitted: Any, spec: SweepSpec, rows: Dataset) -> bool:
    """Whether a candidate can be fitted to the first column alone, so that it is the others that it does not take."""
    y = rows.y[:, 0]
    if learner_for(unfitted).takes_codes(unfitted):
        y = np.unique(y, return_inverse=True)[1]
    try:
        _fitted(unfitted, _first(spec)[0], rows, y)
    except Exception:
        return False
    return True
