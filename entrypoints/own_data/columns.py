"""Categories and gaps in a person's own table, as the estimator of the spec takes them.

Trees of XGBoost and of scikit-learn's histogram gradient boosting split categories as they are, and so do encoders that
begin a pipeline. For every other estimator each category becomes a column of zeros and ones. Which categories there
are is read off all rows, which says nothing of any row's target, so folds need no encoder of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder
from sklearn.utils import get_tags

from errors import SpecError
from tracking.gridfold_model import one_hot
from tuning import SweepSpec
from tuning.learners import learner_for

CATEGORICAL = "enable_categorical"
_ENCODERS = (ColumnTransformer, OneHotEncoder, OrdinalEncoder, TargetEncoder)
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
    if isinstance(estimator, Pipeline):
        return isinstance(estimator.steps[0][1], (*_ENCODERS, *HISTOGRAMS))
    if not _is_xgboost(estimator):
        return isinstance(estimator, HISTOGRAMS)
    return not (
        False in values_of(spec, CATEGORICAL)
        or "gblinear" in values_of(spec, "booster")
        or "exact" in values_of(spec, "tree_method")
    )


def with_categories(spec: SweepSpec, estimator: Any) -> SweepSpec:
    """Tell XGBoost that there are categories, where `spec` has not; it refuses them otherwise."""
    if not _is_xgboost(estimator) or values_of(spec, CATEGORICAL):
        return spec
    return spec.model_copy(update={"fixed": {**spec.fixed, CATEGORICAL: True}})


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


def check_gaps(X: Any, estimator: Any) -> None:
    """Refuse gaps that some step of `estimator` would choke on in every fold.

    Raises
    ------
    SpecError
        It names the columns, and what to do.
    """
    gaps = _columns_with_gaps(X)
    if gaps is None or not (strict := _refuses_gaps(estimator)):
        return
    raise SpecError(
        f"{gaps}, which {strict} does not take. Begin the steps with sklearn.impute.SimpleImputer, choose XGBoost or "
        "HistGradientBoosting, or fill the cells."
    )


def check_names(names: Sequence[str], estimator: Any) -> None:
    """Refuse names of columns that XGBoost would refuse in every fit.

    Raises
    ------
    SpecError
    """
    strange = [name for name in names if _is_xgboost(estimator) and set("[]<") & set(name)]
    if strange:
        raise SpecError(f"column '{strange[0]}': XGBoost takes no '[', ']' or '<' in a column's name. Rename it.")


def _is_xgboost(estimator: Any) -> bool:
    return learner_for(estimator).name == "xgboost"


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
