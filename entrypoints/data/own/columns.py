"""Categories, gaps and names of columns in a person's own table, as the estimator of the spec takes them.

An estimator's learner says whether it splits categories as they are; where it does not, each category becomes a column
of zeros and ones. Which categories there are is read off all rows, which says nothing of any row's target, so folds
need no encoder of their own. Where a library does not take the characters in some name, the estimator is given plain
names in place of all, and the registered model, which takes the file's, does the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, TargetEncoder
from sklearn.utils import get_tags

from errors import SpecError
from tracking.gridfold_model import one_hot
from tuning import SweepSpec
from tuning.learners import learner_for

HISTOGRAMS = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)
_MOST_COLUMNS = 1000


def values_of(spec: SweepSpec, name: str) -> list[Any]:
    """Return every value that `spec` can give the parameter."""
    fixed = [spec.fixed[name]] if name in spec.fixed else []
    return [*fixed, *spec.space.listed(name)]


def values_of_last(spec: SweepSpec, estimator: Any, name: str) -> list[Any]:
    """Return every value that `spec` can give the parameter of the last step of `estimator`, or of all of it."""
    return values_of(spec, f"{estimator.steps[-1][0]}__{name}" if isinstance(estimator, Pipeline) else name)


def categorical(X: Any) -> list[str]:
    """Return the names of the columns of categories; none in a matrix."""
    if not isinstance(X, pd.DataFrame):
        return []
    return [str(name) for name, dtype in X.dtypes.items() if isinstance(dtype, pd.CategoricalDtype)]


def takes_categories(spec: SweepSpec, estimator: Any) -> bool:
    """Whether `estimator` is given categories as they are, whatever else `spec` varies."""
    return learner_for(estimator).takes_categories(estimator, lambda name: values_of(spec, name))


def with_categories(spec: SweepSpec, estimator: Any, columns: Sequence[str]) -> SweepSpec:
    """Tell `estimator` of the `columns` of categories, where its library wants to be told and `spec` has not."""
    with_types = learner_for(estimator).with_categories(estimator, columns, lambda name: values_of(spec, name))
    return spec.model_copy(update={"fixed": {**spec.fixed, **with_types}}) if with_types else spec


def one_hot_columns(X: pd.DataFrame) -> pd.DataFrame:
    """Replace each column of categories by one of zeros and ones per category.

    Raises
    ------
    SpecError
        There would be more than a thousand of them, or two of one name.
    """
    names = categorical(X)
    widths = {name: len(X[name].cat.categories) for name in names}
    if sum(widths.values()) > _MOST_COLUMNS:
        widest = max(names, key=lambda name: widths[name])
        raise SpecError(
            f"column '{widest}' has {widths[widest]:,} categories, too many for a column each. Leave it out, choose "
            "XGBoost, which takes categories as they are, or begin the steps with sklearn.preprocessing.TargetEncoder."
        )
    try:
        return one_hot(X, {name: X[name].cat.categories.tolist() for name in names})
    except ValueError as error:
        raise SpecError(f"-P features: with a column for each category, {error}. Rename the column.") from error


def needs_plain_names(X: Any, estimator: Any) -> bool:
    """Whether some column of `X` has a name that `estimator` would refuse, or write otherwise, in every fit."""
    if not isinstance(X, pd.DataFrame):
        return False
    strange = set(learner_for(estimator).strange_characters(estimator))
    return any(strange & set(str(name)) for name in X.columns)


def check_gaps(X: Any, estimator: Any) -> None:
    """Refuse gaps that some step of `estimator` would choke on in every fold.

    Raises
    ------
    SpecError
        It names the columns, and what to do.
    """
    names = categorical(X)
    if (
        names
        and not learner_for(estimator).takes_gaps_in_categories(estimator)
        and (gaps := _columns_with_gaps(X[names]))
    ):
        raise SpecError(
            f"{gaps}, which {type(estimator).__name__} does not take among categories. Fill the cells with a word of "
            "their own, or choose LightGBM or XGBoost."
        )
    gaps = _columns_with_gaps(X)
    if gaps is None or not (strict := _refuses_gaps(estimator)):
        return
    raise SpecError(
        f"{gaps}, which {strict} does not take. Begin the steps with sklearn.impute.SimpleImputer, choose XGBoost or "
        "HistGradientBoosting, or fill the cells."
    )


def _columns_with_gaps(X: Any) -> str | None:
    if not isinstance(X, pd.DataFrame):
        return "the matrix has missing values" if np.isnan(X.data).any() else None
    names = [f"'{name}'" for name in X.columns[X.isna().any()]]
    if not names:
        return None
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")
    return f"column{'s' if len(names) > 1 else ''} {shown} {'have' if len(names) > 1 else 'has'} missing values"


def _refuses_gaps(estimator: Any) -> str:
    """Return the class that gaps reach and that refuses them; empty where none does or it cannot be known."""
    for _, step in getattr(estimator, "steps", [("", estimator)]):
        fills = type(step).__module__.startswith("sklearn.impute") or isinstance(
            step, ColumnTransformer | OneHotEncoder | TargetEncoder
        )
        if fills or not hasattr(step, "__sklearn_tags__"):
            return ""
        if not get_tags(step).input_tags.allow_nan:
            return type(step).__name__
    return ""
