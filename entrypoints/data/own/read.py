"""From the files that a person named to rows for a sweep, and the spec that goes with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import has_fit_parameter

import cache
import sources
from entrypoints.data.kept_rows import KeptRows
from entrypoints.data.own.columns import (
    categorical,
    check_gaps,
    needs_plain_names,
    one_hot_columns,
    takes_categories,
    values_of_last,
    with_categories,
)
from entrypoints.data.own.foreseen import check_first_step
from entrypoints.data.own.holdout import held_rows, parted
from entrypoints.data.own.scoring import check_holdout, check_objective, check_scorers
from entrypoints.data.own.several_targets import check_several_targets
from entrypoints.data.own.target import target_for
from entrypoints.data.rows import Rows, first_rows
from entrypoints.parameters import SweepParams
from errors import SpecError
from release.drift import Distribution
from sources.own_file import table_name
from sources.own_table import OwnTable, read_own_table
from tracking.gridfold_model import plain_names
from tuning import Dataset, SweepSpec
from tuning.spec.estimators import make_estimator


def own_rows(params: SweepParams, spec: SweepSpec) -> tuple[SweepSpec, Rows]:
    """Read the table that `params` name, as the estimator of `spec` takes it.

    Parameters
    ----------
    params : SweepParams
        With ``features``.
    spec : SweepSpec

    Returns
    -------
    spec : SweepSpec
        Told of categories where the estimator must be.
    rows : Rows

    Raises
    ------
    SourceError
        A file or a column is not what it must be.
    SpecError
        The estimator, the target and the columns do not go together.
    """
    if not params.target:
        raise SpecError(f"-P features={params.features} needs -P target=COLUMN: which column is to be predicted?")
    table = read_own_table(params.features, params.target, params.groups, params.weights, spec.cv.column or "")
    estimator = make_estimator(spec.estimator, spec.fixed)
    encode = bool(categorical(table.X)) and not takes_categories(spec, estimator)
    whole = _dataset(table, estimator, encode)
    names = [str(name) for name in table.target.columns] if isinstance(table.target, pd.DataFrame) else []
    check_scorers(spec, whole)
    check_objective(spec, values_of_last(spec, estimator, "objective"), whole)
    if categorical(whole.X):
        spec = with_categories(spec, estimator, categorical(whole.X))
    if names:
        check_several_targets(spec, whole, names)
    plain = isinstance(whole.X, pd.DataFrame) and list(whole.X.columns) != list(whole.columns)
    held = held_rows(whole, params.holdout, params.seed)
    train, holdout = parted(whole, held)
    if holdout:
        check_holdout(spec, train, holdout)
    check_first_step(spec, estimator, train, holdout)
    rows = Rows(
        train,
        holdout,
        fingerprint=_fingerprint(table, params, spec.cv.column),
        source=table.source,
        example=first_rows(table.X),
        schema=table.schema,
        one_hot=encode,
        plain_names=plain,
        name=table_name(params.features),
        about=_about(table, encode),
        targets=names,
        learned=_distribution(table, held),
        kept=KeptRows.of(table, held, params.weights),
    )
    return spec, rows


def _distribution(table: OwnTable, held: NDArray[np.intp] | None) -> Distribution | None:
    if not isinstance(table.X, pd.DataFrame):
        return None
    return Distribution.of_table(table.X if held is None else table.X.drop(index=table.X.index[held]))


def _dataset(table: OwnTable, estimator: Any, encode: bool) -> Dataset:
    target = target_for(estimator, table.target)
    X = one_hot_columns(table.X) if encode else table.X
    columns = list(table.schema) if not encode else [str(name) for name in X.columns]
    check_gaps(X, estimator)
    if needs_plain_names(X, estimator):
        X = X.set_axis(plain_names(columns), axis=1)
    if table.weights is not None:
        _check_weighable(estimator)
    numbers = np.arange(X.shape[0])
    return Dataset(X, target.y, target.classes, columns, table.weights, table.groups, table.fold_columns, numbers)


def _check_weighable(estimator: Any) -> None:
    last = getattr(estimator, "steps", [("", estimator)])[-1][1]
    if not has_fit_parameter(last, "sample_weight"):
        raise SpecError(
            f"-P weights: {type(last).__name__} takes no weights. Leave them out, or choose another estimator."
        )


def _fingerprint(table: OwnTable, params: SweepParams, fold_column: str | None) -> str:
    asked = {} if fold_column is None else {"fold_column": fold_column}
    asked |= params.model_dump(include={"target", "groups", "weights", "holdout", "seed"})
    return cache.fingerprint(content=table.digest, code=cache.code_digest(sources), **asked)


def _about(table: OwnTable, encode: bool) -> str:
    n_rows, n_columns = table.X.shape
    size = f"{n_rows:,} rows x {n_columns:,} columns"
    names = categorical(table.X)
    if not names:
        return size
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")
    return f"{size}; {'a column for each category of' if encode else 'categories as they are:'} {shown}"
