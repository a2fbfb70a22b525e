"""What a model of one fold answered for its test rows, noted while the scorers asked.

The scorers' own questions are noted, so that keeping the answers costs no second prediction, and what is kept is what
the score was made of, in the type that the estimator gave it: scored again it comes out the same to the bit. A scorer
that looks at the estimator itself must be given the estimator, so nothing can be noted there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import is_classifier

from tuning.dataset import Dataset
from tuning.learners.views import View

Keeps = Literal["nothing", "seen", "all"]
"""What a fit notes: what its scorers ask for, or labels and probabilities as well where they did not ask."""

PREDICT, PROBABILITIES, DECISION = "predict", "predict_proba", "decision_function"
METHODS = (PREDICT, PROBABILITIES, DECISION)


@dataclass(frozen=True, eq=False)
class Responses:
    """A model's answers for the test rows of a fold, in their order.

    Attributes
    ----------
    values : mapping of str to ndarray of shape (n_rows,) or (n_rows, n_columns)
        By method. Labels are given as codes, the places of the labels among the target's classes.
    classes : ndarray of int or None
        Codes of the classes that the columns of probabilities and of decisions stand for: those that the model has
        seen. None for regression and for several targets.
    """

    values: Mapping[str, NDArray[Any]]
    classes: NDArray[np.int64] | None = None

    def at(self, places: NDArray[np.intp]) -> Responses:
        """Return the answers for some of the rows, by their places."""
        return Responses({name: values[places] for name, values in self.values.items()}, self.classes)


class Recording(View):
    """A fitted model that notes what it answers.

    Parameters
    ----------
    model : object
        Fitted, as the scorers are to see it.
    """

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self._noted: dict[str, Any] = {}

    @property
    def noted(self) -> Mapping[str, Any]:
        """The last answer by method."""
        return self._noted

    def __getattr__(self, name: str) -> Any:
        if name == "_noted":  # asked for while it is unpickled
            raise AttributeError(name)
        found = super().__getattr__(name)
        return self._noting(name, found) if name in METHODS else found

    def _noting(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)  # scikit-learn asks a method for its name
        def noting(X: Any, *more: Any, **options: Any) -> Any:
            answer = method(X, *more, **options)
            self._noted[name] = answer
            return answer

        return noting


def completed(recording: Recording, rows: Callable[[], Any]) -> None:
    """Ask a classifier for labels and probabilities where the scorers have not.

    Parameters
    ----------
    recording : Recording
    rows : callable
        Gives the rows to predict for; a copy of their own for each question, since an estimator may write into them.
    """
    if not is_classifier(recording):
        return
    for method in (PROBABILITIES, PREDICT):
        if method not in recording.noted and hasattr(recording, method):
            getattr(recording, method)(rows())


def responses_of(recording: Recording, data: Dataset) -> Responses | None:
    """Return what was noted as it can be kept; None where that is nothing, or has a form of its own.

    Parameters
    ----------
    recording : Recording
    data : Dataset
        The test rows, with the target's classes.
    """
    try:
        noted = {name: np.asarray(answer) for name, answer in recording.noted.items()}
    except ValueError:  # of several targets: a list of tables that are not alike
        return None
    known = None if data.classes is None else pd.Index(data.classes)
    if known is not None and PREDICT in noted:
        noted[PREDICT] = known.get_indexer(noted[PREDICT].reshape(-1)).astype(np.int64)
    if not noted or not all(_has_form(answer, data.n_rows) for answer in noted.values()):
        return None
    if known is None:
        return Responses(noted)
    seen = known.get_indexer(np.asarray(recording.classes_)).astype(np.int64) if set(noted) - {PREDICT} else None
    labels = [codes for codes in (noted.get(PREDICT), seen) if codes is not None]
    if any((codes < 0).any() for codes in labels):
        return None
    return Responses(noted, seen)


def _has_form(answer: NDArray[Any], n_rows: int) -> bool:
    return answer.ndim in (1, 2) and len(answer) == n_rows and answer.dtype.kind != "O"


@dataclass(frozen=True, eq=False)
class Replayed:
    """Answers that were kept, as a fitted model that scorers accept; it answers for those rows whatever it is given.

    Attributes
    ----------
    like : object
        The estimator, fitted or not, whose answers they are.
    responses : Responses
    labels : ndarray of shape (n_classes,) or None
        The target's classes, as the scorers compare them.
    """

    like: Any
    responses: Responses
    labels: NDArray[Any] | None = None
    _methods: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_methods", {name: self._answers(name) for name in self._answered()})

    def _answered(self) -> list[str]:
        values = self.responses.values
        from_probabilities = self.labels is not None and PROBABILITIES in values
        return [name for name in METHODS if name in values or (name == PREDICT and from_probabilities)]

    def __getattr__(self, name: str) -> Any:
        methods = self.__dict__.get("_methods", {})
        if name in methods:
            return methods[name]
        raise AttributeError(f"no answers of {name} were kept")

    @property
    def classes_(self) -> NDArray[Any] | None:
        """Labels of the classes that the model has seen."""
        seen = self.responses.classes
        if self.labels is None:
            return None
        return self.labels if seen is None else self.labels[seen]

    def __sklearn_tags__(self) -> Any:
        return self.like.__sklearn_tags__()

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, X: Any, y: Any = None) -> None:
        """Only an object with this method counts as an estimator."""
        raise TypeError("answers that were kept cannot be fitted again")

    def _answers(self, name: str) -> Callable[[Any], NDArray[Any]]:
        values = self.responses.values
        if name == PREDICT and self.labels is not None:
            codes = values[PREDICT] if PREDICT in values else self._likeliest()
            answer = self.labels[codes]
        else:
            answer = values[name]

        def answers(_: Any) -> NDArray[Any]:
            return answer

        answers.__name__ = name
        return answers

    def _likeliest(self) -> NDArray[np.int64]:
        places: NDArray[np.int64] = self.responses.values[PROBABILITIES].argmax(axis=1)
        return places if self.responses.classes is None else self.responses.classes[places]
