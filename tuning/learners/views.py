"""Fitted models as scorers are to see them: with the user's labels, or from the first rounds alone."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.metaestimators import available_if

from tuning.dataset import Dataset


class View:
    """A fitted model seen in another way; whatever a view does not say itself, the model answers.

    Parameters
    ----------
    model : object
    """

    def __init__(self, model: Any) -> None:
        self._model = model

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_model":  # asked for while it is unpickled
            raise AttributeError(name)
        return getattr(self._model, name)

    def __sklearn_tags__(self) -> Any:
        return self._model.__sklearn_tags__()

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def score(self, X: Any, y: Any, **options: Any) -> Any:
        """Score as the model would if it were what the view shows: by its own method, from the view's predictions."""
        model = self._model
        while isinstance(model, View):
            model = model._model
        return type(model).score(self, X, y, **options)

    def fit(self, X: Any, y: Any = None) -> None:
        """Only an object with this method counts as an estimator; a view is fitted already."""
        raise TypeError("a view of a fitted model cannot be fitted again")


class WithOptions(View):
    """A model that predicts with options, such as the number of rounds that count.

    Parameters
    ----------
    model : object
    options : mapping of str to object
        Arguments of its ``predict``, ``predict_proba`` and ``decision_function``.
    """

    def __init__(self, model: Any, options: Mapping[str, Any]) -> None:
        super().__init__(model)
        self._options = options

    def __getattr__(self, name: str) -> Any:
        if name == "_options":
            raise AttributeError(name)
        return super().__getattr__(name)

    def predict(self, X: Any) -> Any:
        """Predict as the options say."""
        return self._model.predict(X, **self._options)

    @available_if(lambda self: hasattr(self._model, "predict_proba"))  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Any:
        """Give class probabilities as the options say."""
        return self._model.predict_proba(X, **self._options)

    @available_if(lambda self: hasattr(self._model, "decision_function"))  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> Any:
        """Give raw scores as the options say."""
        return self._model.decision_function(X, **self._options)


class WithLabels(View):
    """A classifier that has learned codes, answering in labels.

    Parameters
    ----------
    model : object
    classes : ndarray of shape (n_classes,)
        The label of each code.
    """

    def __init__(self, model: Any, classes: NDArray[Any]) -> None:
        super().__init__(model)
        self._labels = np.asarray(classes)

    @property
    def classes_(self) -> NDArray[Any]:
        """Labels of the classes that the model has seen."""
        seen: NDArray[Any] = self._labels[np.asarray(self._model.classes_, dtype=np.intp)]
        return seen

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict labels."""
        predicted: NDArray[Any] = self._labels[np.asarray(self._model.predict(X), dtype=np.intp)]
        return predicted


def changed(model: Any, **attributes: Any) -> Any:
    """Return a copy of `model` with other `attributes`, which shares whatever else it has learned."""
    mine = copy(model)
    for name, value in attributes.items():
        setattr(mine, name, value)
    return mine


def in_labels(model: Any, codes: bool, test: Dataset) -> tuple[Any, Dataset]:
    """Return a model and its test rows as scorers compare them: both in the user's labels.

    Parameters
    ----------
    model : object
        Fitted.
    codes : bool
        Whether it has learned codes.
    test : Dataset
    """
    if test.classes is None or test.has_code_labels:
        return model, test
    view = WithLabels(model, test.classes) if codes else model
    return view, replace(test, y=test.labels, classes=None)
