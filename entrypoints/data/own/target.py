"""The target of a person's own table: classes or numbers, as the estimator is a classifier or a regressor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types
from sklearn.base import is_classifier, is_regressor

from errors import SpecError
from sources.own_columns import as_numbers

_MOST_NUMBERS = 20  # more different numbers, some of them once: a quantity rather than classes


@dataclass(frozen=True, eq=False)
class Target:
    """What is to be predicted.

    Attributes
    ----------
    y : ndarray of shape (n_rows,) or (n_rows, n_targets)
        Codes, positions in `classes`; or numbers. Of several columns of classes, their values.
    classes : ndarray of shape (n_classes,) or None
        The values of the column in order; None for regression and for several columns.
    """

    y: NDArray[Any]
    classes: NDArray[Any] | None = None


def target_for(estimator: Any, column: pd.Series | pd.DataFrame) -> Target:
    """Return `column` as `estimator` wants it.

    Parameters
    ----------
    estimator : object
        Unfitted.
    column : Series of shape (n_rows,), or DataFrame of shape (n_rows, n_targets)
        Without gaps.

    Raises
    ------
    SpecError
        The estimator is neither classifier nor regressor, or the column does not suit it.
    SourceError
        A regressor's target holds infinity.
    """
    if isinstance(column, pd.DataFrame):
        return Target(_together(estimator, column))
    kind = type(getattr(estimator, "steps", [("", estimator)])[-1][1]).__name__
    where = f"target '{column.name}'"
    if column.nunique() == 1:
        raise SpecError(
            f"{where} is '{column.iloc[0]}' in every row, so there is nothing to learn. Name another column."
        )
    if is_regressor(estimator):
        return Target(_numbers(column, where, kind))
    if not is_classifier(estimator):
        raise SpecError(
            f"estimator: {kind} is neither a classifier nor a regressor. Name one, or end the steps with one."
        )
    return _classes(column, where, kind)


def _together(estimator: Any, columns: pd.DataFrame) -> NDArray[Any]:
    """Put numbers, or labels of one kind, side by side: an array of both would make text of numbers."""
    targets = {str(name): target_for(estimator, column) for name, column in columns.items()}
    values = {name: one.y if one.classes is None else one.classes[one.y] for name, one in targets.items()}
    first, *others = values
    for other in others:
        if values[first].dtype.kind != values[other].dtype.kind:
            raise SpecError(
                f"targets '{first}' and '{other}' hold labels of different kinds, such as '{values[first][0]}' and "
                f"'{values[other][0]}'. Write all as text, or all as whole numbers."
            )
    return np.column_stack(list(values.values()))


def _numbers(column: pd.Series, where: str, kind: str) -> NDArray[np.float64]:
    if not types.is_numeric_dtype(column.dtype) or types.is_bool_dtype(column.dtype):
        raise SpecError(
            f"{where} holds values such as '{column.iloc[0]}', and {kind} is a regressor, which predicts numbers. "
            "Choose a classifier, or another column."
        )
    return as_numbers(column, where)


def _classes(column: pd.Series, where: str, kind: str) -> Target:
    values = column.astype(object).infer_objects()
    if types.is_float_dtype(values.dtype):
        if (values != values.round()).any():
            raise SpecError(
                f"{where} holds fractions such as {values[values != values.round()].iloc[0]:g}, and {kind} is a "
                "classifier. Choose a regressor, such as xgboost.XGBRegressor in spaces/regression.yaml."
            )
        values = values.astype(np.int64)
    try:
        classes, codes = np.unique(values.to_numpy(), return_inverse=True)
    except TypeError as error:
        raise SpecError(f"{where} holds values of several kinds. Write them all as text, or all as numbers.") from error
    a_quantity = types.is_numeric_dtype(values.dtype) and len(classes) > _MOST_NUMBERS and np.bincount(codes).min() == 1
    if a_quantity or 2 * len(classes) > len(column):
        raise SpecError(
            f"{where} has {len(classes):,} different values in {len(column):,} rows: too many for classes. Name "
            "another column, or choose a regressor if it is a quantity."
        )
    return Target(codes, classes)
