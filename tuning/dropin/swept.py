"""A sweep of a spec over rows that are there already, and its winner refitted: what ``gridfold.sweep`` returns."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import is_classifier

from errors import SpecError
from tuning.audit import audited, refuse_if_strict
from tuning.dataset import Dataset
from tuning.engines import open_engine
from tuning.learners import learner_for
from tuning.learners.views import in_labels
from tuning.linting import Finding
from tuning.loop import sweep
from tuning.observers import Observer
from tuning.refit import refit
from tuning.results.sweep_result import SweepResult
from tuning.search import check_size
from tuning.spec import file as spec_file
from tuning.spec.estimators import make_estimator
from tuning.spec.sweep_spec import SweepSpec


@dataclass(frozen=True, eq=False)
class Swept:
    """What a sweep found.

    Attributes
    ----------
    spec : SweepSpec
    result : SweepResult
        Every score of every candidate on every fold.
    best_estimator_ : object
        The winner, fitted on all rows.
    """

    spec: SweepSpec
    result: SweepResult
    best_estimator_: Any

    @property
    def best_params_(self) -> dict[str, Any]:
        """What the winner varies."""
        return dict(self.result.best.params)

    @property
    def best_score_(self) -> float:
        """The winner's mean test score over the folds."""
        return self.result.best_score

    @property
    def cv_results_(self) -> pd.DataFrame:
        """The table under scikit-learn's names, a row for each candidate."""
        return pd.DataFrame(self.result.cv_results())


def read_spec(spec: str | Path | Mapping[str, Any] | SweepSpec) -> SweepSpec:
    """Read and check a spec, wherever it is.

    Raises
    ------
    SpecError
    """
    if isinstance(spec, str | Path):
        return SweepSpec.load(spec)
    if isinstance(spec, SweepSpec):
        return spec
    if not isinstance(spec, Mapping):
        raise SpecError(f"spec: expected a path, a dict or a SweepSpec, got a {type(spec).__name__}.")
    return spec_file.validate(SweepSpec, spec)


def audited_or_refused(spec: SweepSpec, data: Dataset) -> list[Finding]:
    """Look at the rows before anything is fitted to them; warn of what is found, or refuse it, as the spec says.

    Raises
    ------
    SpecError
    """
    found = audited(spec, data)
    refuse_if_strict(spec, found)
    for each in found:
        warnings.warn(f"{each.code} {each.words}. {each.advice}.", UserWarning, stacklevel=3)
    return found


def swept(
    spec: SweepSpec, data: Dataset, engine: str, master: str | None, cores: int, observers: Sequence[Observer]
) -> Swept:
    """Sweep, and refit the winner.

    Raises
    ------
    GridfoldError
        As ``tuning.loop.sweep`` does.
    """
    check_size(spec)
    with open_engine(engine, cores, master) as opened:
        result = sweep(spec, data, opened, observers)
    model = refit(spec, result.best, data, cores, result.rounds.get(result.best))
    return Swept(spec, result, in_labels(model, learner_for(model).takes_codes(model), data)[0])


def rows_of(spec: SweepSpec, X: Any, y: Any, groups: Any = None, sample_weight: Any = None) -> Dataset:
    """Put rows together as a sweep takes them; the labels of a classifier become codes, if they are one column.

    Raises
    ------
    SpecError
        The lengths differ.
    """
    X = X if hasattr(X, "iloc") or hasattr(X, "tocsr") else np.asarray(X)
    X = X.tocsr() if hasattr(X, "tocsr") else X
    columns = [str(name) for name in X.columns] if hasattr(X, "columns") else ()
    others = {"y": y, "groups": groups, "sample_weight": sample_weight}
    arrays = {name: np.asarray(values) for name, values in others.items() if values is not None}
    for name, values in arrays.items():
        if len(values) != X.shape[0]:
            raise SpecError(f"{name}: {len(values):,} values for the {X.shape[0]:,} rows of X. Give one for each row.")
    classes, target = None, arrays.pop("y")
    if target.ndim == 1 and is_classifier(make_estimator(spec.estimator, {})):
        classes, target = np.unique(target, return_inverse=True)
    return Dataset(X, target, classes, columns, arrays.get("sample_weight"), arrays.get("groups"))
