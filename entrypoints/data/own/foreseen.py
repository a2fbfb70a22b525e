"""What would fail in some fold whatever the candidate, and is seen in the rows before the first fit.

A candidate without a score on one fold has no mean, so a fold in which all of them fail ends the sweep with nothing.
Only what cannot but fail is refused: a check looks at the very folds, and lets pass what some candidate survives.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from entrypoints.data.own.columns import HISTOGRAMS, categorical, values_of
from errors import SpecError
from tuning import Dataset, SweepSpec, make_folds

_CURES = {
    "OneHotEncoder": "{0}handle_unknown: ignore",
    "OrdinalEncoder": "{0}handle_unknown: use_encoded_value and {0}unknown_value: -1",
}


def check_first_step(spec: SweepSpec, estimator: Any, train: Dataset, holdout: Dataset | None) -> None:
    """Refuse columns that the first step of `estimator`, or the whole of it, cannot take.

    Parameters
    ----------
    spec : SweepSpec
    estimator : object
        Unfitted, with the spec's ``fixed`` set.
    train, holdout : Dataset

    Raises
    ------
    SpecError
        It names the column, the fold and what to do.
    """
    name, first = estimator.steps[0] if isinstance(estimator, Pipeline) else ("", estimator)
    prefix = f"{name}__" if name else ""
    if not isinstance(train.X, pd.DataFrame) or values_of(spec, name):  # the step itself is chosen among others
        return
    if isinstance(first, HISTOGRAMS):
        _check_number_of_categories(spec, first, prefix, train.X)
        _check_empty(spec, first, train)
    if isinstance(first, OneHotEncoder | OrdinalEncoder) and _refuses_unknown(spec, first, prefix):
        _check_unknown(spec, first, prefix, train, holdout)


def _asked(spec: SweepSpec, first: Any, parameter: str, prefix: str) -> list[Any]:
    """Return every value that candidates can have of the step's parameter."""
    return values_of(spec, f"{prefix}{parameter}") or [getattr(first, parameter)]


def _check_number_of_categories(spec: SweepSpec, first: Any, prefix: str, X: pd.DataFrame) -> None:
    if "from_dtype" not in _asked(spec, first, "categorical_features", prefix):
        return
    most = max(_asked(spec, first, "max_bins", prefix))
    for name in categorical(X):
        if (count := X[name].nunique()) > most:
            kind = type(first).__name__
            raise SpecError(
                f"column '{name}' has {count:,} categories, and {kind} takes {most} at most (max_bins). Leave it out, "
                "join the rare ones, or choose XGBoost."
            )


def _check_empty(spec: SweepSpec, first: Any, train: Dataset) -> None:
    """Refuse columns without a single value in a fold, which histograms cannot be made of."""
    filled = train.X.notna()
    sparse = filled.columns[filled.sum() <= train.n_rows // 2]
    for where, rows, _ in _splits(spec, train, None) if len(sparse) else ():
        for name in sparse:
            if not filled[name].to_numpy()[rows].any():
                kind = type(first).__name__
                raise SpecError(
                    f"column '{name}' has no value in the training rows of {where}, which {kind} does not take. Leave "
                    "the column out."
                )


def _refuses_unknown(spec: SweepSpec, first: Any, prefix: str) -> bool:
    given = _asked(spec, first, "handle_unknown", prefix), _asked(spec, first, "categories", prefix)
    return all(value == "error" for value in given[0]) and all(isinstance(value, str) for value in given[1])


def _check_unknown(spec: SweepSpec, first: Any, prefix: str, train: Dataset, holdout: Dataset | None) -> None:
    """Refuse values that the encoder meets for the first time in the test rows of a fold, or in the hold-out."""
    splits = list(_splits(spec, train, holdout))
    for name in train.X.columns:
        column = train.X[name] if holdout is None else pd.concat([train.X[name], holdout.X[name]])
        codes, values = pd.factorize(column, use_na_sentinel=False)
        for where, known, judged in splits:
            seen = np.zeros(len(values), dtype=bool)
            seen[codes[known]] = True
            new = np.unique(codes[judged][~seen[codes[judged]]])
            if len(new):
                kind = type(first).__name__
                raise SpecError(
                    f"column '{name}': {where} is judged on {len(new):,} value{'s' if len(new) > 1 else ''} (such as "
                    f"'{values[new[0]]}') that its training rows lack, and {kind}, which encodes every column, would "
                    f"fail. Set {_CURES[kind].format(prefix)}, or leave the column out."
                )


def _splits(
    spec: SweepSpec, train: Dataset, holdout: Dataset | None
) -> Iterator[tuple[str, NDArray[np.intp], NDArray[np.intp]]]:
    """Yield each split's name, the rows to learn from and those to be judged on; hold-out rows follow the others."""
    for fold in make_folds(spec.cv, train):
        yield f"fold {fold.index}", fold.train, fold.test
    if holdout is not None:
        n = train.n_rows
        yield "the hold-out", np.arange(n), np.arange(n, n + holdout.n_rows)
