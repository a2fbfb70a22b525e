"""By what two models are compared: log-loss, or any scorer of a spec in its place, on any of the rows.

A scorer asks a fitted estimator for predictions. The bootstrap asks it thousands of times, so a model predicts once for
all rows, and scorers see a view of it that looks the answers up by the rows' numbers.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import get_scorer_names
from sklearn.utils.metaestimators import available_if

from entrypoints.planning.asked_spec import asked_spec
from errors import SpecError
from release.gates import AUTO, LOG_LOSS
from release.judging import Judged, log_losses
from tracking import EntryRun
from tracking.swept import CHOSEN_FROM, SCORER, as_typed
from tuning import Dataset, Scorers
from tuning.learners.views import View, WithLabels
from tuning.spec.scoring import metric_of

_METHODS = ("predict", "predict_proba", "decision_function")


@dataclass(frozen=True, eq=False)
class Truth:
    """What is true of the rows that models are judged on.

    Attributes
    ----------
    y : ndarray of shape (n_rows,) or (n_rows, n_targets)
        Labels as the person has them, or numbers.
    classes : sequence or None
        The model's; None for numbers and for several targets.
    weights : ndarray of shape (n_rows,) or None
    """

    y: NDArray[Any]
    classes: Any = None
    weights: NDArray[np.float64] | None = None

    def codes(self) -> NDArray[np.intp]:
        """Return the place of each row's label among the classes."""
        place = {label: code for code, label in enumerate(self.classes)}
        return np.array([place[label] for label in self.y.tolist()], dtype=np.intp)


@dataclass(frozen=True, eq=False)
class Judge:
    """By what models are compared.

    Attributes
    ----------
    name : str
    scorers : Scorers or None
        Of one scorer; None for log-loss.
    """

    name: str = LOG_LOSS
    scorers: Scorers | None = None

    def of(self, model: Any, X: Any, truth: Truth) -> Judged:
        """Let `model`, loaded, predict for rows in its own layout, and judge it by what is true of them."""
        looked_at = isinstance(X, pd.DataFrame) and self.scorers is not None and not self.scorers.only_responses
        frame = X if looked_at else pd.DataFrame(index=range(X.shape[0]))
        return self.by_answers(Answers(model, X), truth, frame)

    def by_answers(self, answers: Answers, truth: Truth, frame: pd.DataFrame | None = None) -> Judged:
        """Judge answers that a model has given; `frame` has the rows for scorers that look at them."""
        n_rows = len(truth.y)
        if not n_rows:
            return Judged(0, lambda rows: float("nan"))
        numbers = pd.RangeIndex(n_rows)
        shown = pd.DataFrame(index=numbers) if frame is None else frame.set_axis(numbers, axis=0)
        if self.scorers is None:
            probabilities = np.asarray(answers.predict_proba(shown), dtype=np.float64)
            return _weighed(-log_losses(probabilities, truth.codes()), truth.weights)
        scorers = self.scorers
        return Judged(n_rows, lambda rows: _score(scorers, answers, shown, truth, np.arange(n_rows)[rows]))


def judge_for(asked: Any, gates: str, probable: bool, run: EntryRun, challenger: str) -> Judge:
    """Return the judge that the file `gates` asks for.

    Parameters
    ----------
    asked : object
        What stands there under ``scorer``.
    gates : str
    probable : bool
        Whether the models give probabilities of the classes of one target.
    run : EntryRun
    challenger : str
        The run of the challenger's sweep, whose scorer is meant where nothing else is said.

    Raises
    ------
    SpecError
        There is no such scorer.
    """
    if asked in (LOG_LOSS, f"neg_{LOG_LOSS}") or (asked == AUTO and probable):
        if not probable:
            raise SpecError(f"{gates}: scorer: {asked} needs probabilities of classes, which the models do not give.")
        return Judge()
    if asked == AUTO:
        return judge_of_sweep(run, challenger)
    metric = metric_of(asked, f"{gates}: scorer")
    return Judge(metric.name, Scorers({metric.name: metric.build()}, metric.name))


def judge_of_sweep(run: EntryRun, run_id: str) -> Judge:
    """Return the scorer that has chosen the winner of the sweep, or of the sweep that another winner is chosen from."""
    tags = run.tags_of(run_id)
    if sweep_id := tags.get(CHOSEN_FROM):
        return judge_of_sweep(run, sweep_id)
    name = tags.get(SCORER, "")
    if name == f"neg_{LOG_LOSS}":
        return Judge()
    if name in get_scorer_names():
        return Judge(name, Scorers.named(name))
    space = Path(as_typed(run.params_of(run_id).get("space", "")))
    spec = asked_spec(f"runs:/{run_id}/{space.name}", run)
    return Judge(spec.refit_scorer, Scorers.of(spec).only(spec.refit_scorer))


def _weighed(values: NDArray[np.float64], weights: NDArray[np.float64] | None) -> Judged:
    if weights is None:
        return Judged.by_row(values)
    return Judged(len(values), lambda rows: _average(values[rows], weights[rows]))


def _average(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    return float(np.average(values, weights=weights)) if weights.any() else float("nan")


def _score(scorers: Scorers, answers: Any, frame: pd.DataFrame, truth: Truth, rows: NDArray[np.intp]) -> float:
    weights = None if truth.weights is None else truth.weights[rows]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a draw lacks a class
            scores: Mapping[str, float] = scorers.score(
                answers, Dataset(frame.iloc[rows], truth.y[rows], sample_weight=weights)
            )
    except ValueError:  # of one class alone, say
        return float("nan")
    return next(iter(scores.values()))


def _in_labels(model: Any) -> Any:
    """Return the estimator of a loaded model, answering in labels where it has learned their places."""
    if model.classes is None:
        return model.estimator
    learned = getattr(model.estimator, "classes_", model.classes)
    if np.array_equal(np.asarray(learned), np.asarray(model.classes)):
        return model.estimator
    return WithLabels(model.estimator, np.asarray(model.classes))


class Answers(View):
    """A loaded model that has answered for all rows once, and is asked for some of them by their numbers.

    Parameters
    ----------
    model : LabelledModel
    X : matrix or DataFrame, optional
        All rows, in the model's own layout; else they come by `add`.
    """

    def __init__(self, model: Any, X: Any = None) -> None:
        super().__init__(_in_labels(model))
        self._rows = X
        self._known: dict[str, NDArray[Any]] = {}
        self._added: dict[str, list[NDArray[Any]]] = {method: [] for method in _METHODS if hasattr(self, method)}

    def add(self, X: Any) -> None:
        """Answer for some more rows."""
        for method, answers in self._added.items():
            answers.append(np.asarray(getattr(self._model, method)(X)))
            self._known.pop(method, None)

    def _answer(self, method: str, rows: pd.DataFrame) -> NDArray[Any]:
        if method not in self._known:
            parts = self._added[method] if self._rows is None else [getattr(self._model, method)(self._rows)]
            self._known[method] = np.concatenate([np.asarray(part) for part in parts])
        found: NDArray[Any] = self._known[method][rows.index]
        return found

    def predict(self, X: pd.DataFrame) -> NDArray[Any]:
        """Look predictions up."""
        return self._answer("predict", X)

    @available_if(lambda self: hasattr(self._model, "predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: pd.DataFrame) -> NDArray[Any]:
        """Look probabilities up."""
        return self._answer("predict_proba", X)

    @available_if(lambda self: hasattr(self._model, "decision_function"))  # type: ignore[untyped-decorator]
    def decision_function(self, X: pd.DataFrame) -> NDArray[Any]:
        """Look raw scores up."""
        return self._answer("decision_function", X)
