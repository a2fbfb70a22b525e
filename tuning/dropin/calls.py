"""The calls that scikit-learn's search makes, taken apart, and on their way to other processes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import cloudpickle
import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.base import clone
from sklearn.utils._tags import get_tags

from tuning.candidates import Candidate
from tuning.dataset import Dataset
from tuning.folds import Fold
from tuning.learners.steps import described
from tuning.results.fold_score import FoldScore
from tuning.scoring import Scorers
from tuning.spec.modules import local_modules
from tuning.workload import Workload

_OF_THE_CALL = ("train", "test", "parameters", "split_progress", "candidate_progress", "callback_ctx", "caller")


@dataclass(frozen=True, eq=False)
class Numbered(Candidate):
    """A candidate known by its place in the search: its values may be any objects, and two may be equal.

    It travels as its number alone; who receives it has the parameters of all.
    """

    number: int = -1

    @cached_property
    def key(self) -> str:
        """Twelve hex digits, the same for the same parameters where they can be hashed."""
        try:
            return str(joblib.hash(described(dict(self.params))))[:12]
        except Exception:  # a lambda, an open file
            return f"{self.number:012x}"

    @cached_property
    def name(self) -> str:
        """What a person reads, on one line."""
        return " ".join(super().name.split())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Numbered) and self.number == other.number

    def __hash__(self) -> int:
        return hash(self.number)

    def __reduce__(self) -> tuple[Any, ...]:
        return Numbered, ({}, self.number)


@dataclass(frozen=True)
class Outcome(FoldScore):
    """A FoldScore with what ``_fit_and_score`` returns.

    Attributes
    ----------
    out : mapping of str to object
        Empty where `raised`.
    raised : Exception or None
        Where ``error_score`` is "raise", or the search itself is at fault.
    """

    out: Mapping[str, Any] = field(default_factory=dict)
    raised: Exception | None = None


@dataclass(eq=False)
class Calls:
    """What the calls of one search have in common; it is pickled by value, as code of a notebook must be.

    Attributes
    ----------
    function : callable
        ``_fit_and_score`` as scikit-learn wraps it, with its configuration and filters of warnings.
    estimator : object
        Unfitted.
    X, y : object
        As the user gave them; None where the workload's Dataset has them as they are.
    common : mapping of str to object
        Arguments that are the same in all calls.
    parameters : mapping of int to mapping
        By candidate.
    n_folds : int
    """

    function: Callable[..., Any]
    estimator: Any
    X: Any
    y: Any
    common: Mapping[str, Any]
    parameters: Mapping[int, Mapping[str, Any]]
    n_folds: int

    def __getstate__(self) -> bytes:
        pickled: bytes = cloudpickle.dumps(vars(self))
        return pickled

    def __setstate__(self, pickled: bytes) -> None:
        vars(self).update(cloudpickle.loads(pickled))


@dataclass(frozen=True, eq=False)
class SearchWorkload(Workload):
    """A Workload that scikit-learn's search asks for.

    Attributes
    ----------
    calls : Calls
    may_share : bool
        Whether fits may share what their learners know to be exact.
    candidates : tuple of Numbered
    keeps_threads : bool
        Whether estimators have the threads that they ask for themselves, since nothing runs beside them.
    """

    calls: Calls | None = None
    may_share: bool = False
    candidates: tuple[Numbered, ...] = ()
    keeps_threads: bool = False

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "estimator": None}  # its class may be a notebook's; it goes with the calls

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        vars(self)["estimator"] = self.asked.estimator

    @property
    def asked(self) -> Calls:
        """The calls."""
        assert self.calls is not None
        return self.calls

    def own_modules(self) -> list[Path]:
        """See Workload."""
        return local_modules([self.asked.estimator, *self.asked.parameters.values(), self.asked.common.get("scorer")])

    def call(self, number: int, fold: int, estimator: Any) -> Mapping[str, Any]:
        """Make one call in the plain way, with the unfitted `estimator`."""
        calls, split = self.asked, self.folds[fold]
        X = self.data.X if calls.X is None else calls.X
        y = self.data.y if calls.y is None and calls.X is None else calls.y
        first = min(calls.parameters)
        found: Mapping[str, Any] = calls.function(
            estimator,
            X,
            y,
            train=split.train,
            test=split.test,
            parameters=calls.parameters[number],
            split_progress=(fold, calls.n_folds),
            candidate_progress=(number - first, len(calls.parameters)),
            **calls.common,
        )
        return found


def read(calls: Iterable[Any], first: int, runner: Callable[..., Any]) -> SearchWorkload:
    """Read the calls of one round of a search, one at least.

    Parameters
    ----------
    calls : iterable of (function, tuple, dict)
        In scikit-learn's order: folds within candidates.
    first : int
        Number of the first candidate.
    runner : callable
        Runs one fit of the workload.
    """
    parameters: dict[int, Mapping[str, Any]] = {}
    folds: dict[int, Fold] = {}
    for function, rows, given in calls:  # noqa: B007 (the last one's are those of all)
        candidate, fold = given["candidate_progress"][0], given["split_progress"][0]
        parameters[first + candidate] = given["parameters"]
        folds[fold] = Fold(fold, given["train"], given["test"])
    estimator, X, y = rows
    if hasattr(function, "with_config_and_warning_filters"):
        function.with_config_and_warning_filters(get_config(), list(warnings.filters))
    else:  # before scikit-learn 1.8
        function.with_config(get_config())
    common = {name: value for name, value in given.items() if name not in _OF_THE_CALL}
    data = _dataset(X, y, common["fit_params"], estimator)
    kept_X, kept_y = (X, y) if data is None else (None, None if data.y is y else y)
    asked = Calls(function, clone(estimator), kept_X, kept_y, common, parameters, len(folds))
    candidates = tuple(Numbered(params, number) for number, params in parameters.items())
    return SearchWorkload(
        asked.estimator,
        Scorers({}, ""),  # the calls have their own
        data or Dataset(np.empty((0, 0)), np.empty(0)),
        tuple(folds.values()),
        runner=runner,
        calls=asked,
        may_share=data is not None,
        candidates=candidates,
    )


def _dataset(X: Any, y: Any, fit_params: Mapping[str, Any], estimator: Any) -> Dataset | None:
    """Return rows as our learners take them; None for lists, kernels, rows without a target and other kinds."""
    y = y.to_numpy() if isinstance(y, pd.Series) and isinstance(y.dtype, np.dtype) else y
    if get_tags(estimator).input_tags.pairwise or not isinstance(y, np.ndarray) or y.ndim != 1:
        return None
    is_table = isinstance(X, pd.DataFrame)
    is_array = type(X) is np.ndarray and X.ndim == 2 and X.dtype.kind in "fiub"
    if not (is_table or is_array or getattr(X, "format", None) == "csr"):
        return None
    weights = [value for name, value in fit_params.items() if name.rpartition("__")[2] == "sample_weight"]
    weight = weights[0] if len(fit_params) == 1 and weights and isinstance(weights[0], np.ndarray) else None
    return Dataset(X, y, _codes(y), sample_weight=weight)


def _codes(y: NDArray[Any]) -> NDArray[Any] | None:
    """Return the classes of `y` where they are 0, 1, 2 and so on."""
    if y.dtype.kind not in "iu":
        return None
    classes = np.unique(y)
    return classes if np.array_equal(classes, np.arange(len(classes))) else None


def in_order(outcomes: Sequence[Outcome], n_folds: int, first: int) -> list[Mapping[str, Any]]:
    """Return what the calls would have returned, in their order."""
    place = {}
    for outcome in outcomes:
        assert isinstance(outcome.candidate, Numbered)
        place[(outcome.candidate.number - first) * n_folds + outcome.fold] = outcome.out
    return [place[each] for each in sorted(place)]
