"""What ``benchmarks.families`` sweeps: a table, an estimator and a grid for each family, and its floor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FOLDS = 5


@dataclass(frozen=True)
class Case:
    """One family.

    Attributes
    ----------
    estimator : callable
        Returns the estimator; it imports its library, so that a run pays for its own alone.
    grid : mapping of str to list
    rows : int
        For which GridSearchCV takes 10 to 20 seconds on two cores.
    columns, classes : int
    distinct : mapping of str to list
        The least that has to be fitted: the largest of what one fit serves, every value of the rest.
    least : callable or None
        What the floor does with one of those on a fold, where it is not just to fit it.
    threads : bool
        Whether the library lets go of the interpreter lock, so that the floor's workers are threads.
    scoring : str
    """

    estimator: Callable[[], Any]
    grid: Mapping[str, list[Any]]
    rows: int
    columns: int = 30
    classes: int = 4
    distinct: Mapping[str, list[Any]] | None = None
    least: Callable[[Any, NDArray[Any], NDArray[Any], NDArray[Any]], Any] | None = None
    threads: bool = True
    scoring: str = "neg_log_loss"

    @property
    def floor_grid(self) -> Mapping[str, list[Any]]:
        """Grid of what has to be fitted."""
        return self.distinct or {name: [max(values)] for name, values in self.grid.items()}

    def table(self, size: float) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Rows and codes of classes."""
        from sklearn.datasets import make_classification

        X, y = make_classification(
            max(200, int(size * self.rows)),
            self.columns,
            n_informative=min(12, self.columns),
            n_redundant=0,
            n_classes=self.classes,
            flip_y=0.1,
            random_state=0,
        )
        return X.astype(np.float32), y


def _forest() -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(random_state=0)


def _extra_trees() -> Any:
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(random_state=0)


def _bagging() -> Any:
    from sklearn.ensemble import BaggingClassifier

    return BaggingClassifier(random_state=0)


def _hist() -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(random_state=0, early_stopping=False)


def _boosting() -> Any:
    from sklearn.ensemble import GradientBoostingClassifier

    return GradientBoostingClassifier(random_state=0)


def _adaboost() -> Any:
    from sklearn.ensemble import AdaBoostClassifier
    from sklearn.tree import DecisionTreeClassifier

    return AdaBoostClassifier(DecisionTreeClassifier(max_depth=3), random_state=0)


def _lightgbm() -> Any:
    from lightgbm import LGBMClassifier

    return LGBMClassifier(random_state=0, n_jobs=1, verbose=-1, force_row_wise=True)


def _catboost() -> Any:
    from importlib import import_module  # it has no types

    return import_module("catboost").CatBoostClassifier(
        random_state=0, learning_rate=0.1, thread_count=1, verbose=False, allow_writing_files=False
    )


def _steps_into_xgboost() -> Any:
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import KBinsDiscretizer
    from xgboost import XGBClassifier

    bins = KBinsDiscretizer(20, encode="ordinal", strategy="kmeans", random_state=0)
    return Pipeline([("bins", bins), ("model", XGBClassifier(n_jobs=1, random_state=0, max_depth=4))])


def _steps_into_logistic() -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import KBinsDiscretizer

    bins = KBinsDiscretizer(20, encode="onehot", strategy="kmeans", random_state=0)
    return Pipeline([("bins", bins), ("model", LogisticRegression(max_iter=30, tol=0.01))])


def _tree() -> Any:
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(random_state=0)


def _neighbours() -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier()


def _prune(tree: Any, X: NDArray[Any], y: NDArray[Any], _: NDArray[Any]) -> None:
    grown = tree.fit(X, y)
    for alpha in _ALPHAS:
        grown.ccp_alpha = alpha
        whole = grown.tree_
        grown._prune_tree()
        grown.tree_ = whole


def _search(model: Any, X: NDArray[Any], y: NDArray[Any], test: NDArray[Any]) -> None:
    model.fit(X, y).predict_proba(test)


def _steps_and_last(pipeline: Any, X: NDArray[Any], y: NDArray[Any], _: NDArray[Any]) -> None:
    from sklearn.base import clone

    made = pipeline[:-1].fit_transform(X, y)
    for value in _STRENGTHS:
        clone(pipeline[-1]).set_params(C=value).fit(made, y)


def _four(most: int) -> list[int]:
    return [most * quarter // 4 for quarter in (1, 2, 3, 4)]


_ALPHAS = [0.0, 0.0002, 0.0005, 0.001]
_STRENGTHS = [0.01, 0.1, 1.0, 10.0]

CASES: Mapping[str, Case] = {
    "forest": Case(_forest, {"n_estimators": _four(80)}, 6000),
    "extra-trees": Case(_extra_trees, {"n_estimators": _four(120)}, 8000),
    "bagging": Case(_bagging, {"n_estimators": _four(20)}, 4000),
    "hist-gb": Case(_hist, {"max_iter": _four(60)}, 8000),
    "gradient-boosting": Case(_boosting, {"n_estimators": _four(20)}, 3000),
    "adaboost": Case(_adaboost, {"n_estimators": _four(60)}, 5000),
    "lightgbm": Case(_lightgbm, {"n_estimators": _four(100)}, 8000),
    "catboost": Case(_catboost, {"iterations": _four(100)}, 5000),
    "steps-xgboost": Case(_steps_into_xgboost, {"model__n_estimators": _four(100)}, 8000),
    "steps-logistic": Case(
        _steps_into_logistic,
        {"model__C": _STRENGTHS},
        8000,
        distinct={"model__C": [1.0]},
        least=_steps_and_last,
        threads=False,
    ),
    "pruning": Case(
        _tree, {"ccp_alpha": _ALPHAS}, 30000, distinct={"ccp_alpha": [0.0]}, least=_prune, scoring="accuracy"
    ),
    "knn": Case(_neighbours, {"n_neighbors": _four(40)}, 20000, columns=30, least=_search),
    "short-fits": Case(
        _tree,
        {"max_depth": [2, 3, 4, 5], "min_samples_leaf": list(range(1, 26)), "min_samples_split": [2, 4, 8, 16]},
        400,
        columns=12,
        distinct={
            "max_depth": [2, 3, 4, 5],
            "min_samples_leaf": list(range(1, 26)),
            "min_samples_split": [2, 4, 8, 16],
        },
        threads=False,
        scoring="accuracy",
    ),
}
