"""How a logged model predicts: this file travels inside each model, and is what ``mlflow.pyfunc`` loads.

MLflow's own loaders return class codes for an XGBClassifier, know nothing of the labels, and pass a dense zero on as a
zero, which a booster that was trained on sparse rows takes for a missing value. This one returns a probability per
label, and rebuilds the layout that the estimator was trained on: sparse rows, categories, or the columns that stand
for them. It imports nothing of the repo, so it works wherever the model's pip requirements are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

CARD = "gridfold.json"
SPARSE, DENSE, FRAME, ONE_HOT = "sparse", "dense", "frame", "one_hot"


class LabelledModel:
    """A fitted estimator with the names of its classes and columns.

    Parameters
    ----------
    estimator : object
        Fitted, with scikit-learn's API.
    classes : list or None
        The label of each class code; None for regression.
    columns : list of str
        Empty where they have no names.
    layout : {'sparse', 'dense', 'frame', 'one_hot'}
        What the estimator was trained on; ``one_hot`` is a frame with a column for each category.
    categories : dict of str to list
        Of a frame, the known values of each categorical column: MLflow's signatures have no such type, so rows come
        with plain values.
    """

    def __init__(
        self,
        estimator: Any,
        classes: list[Any] | None,
        columns: list[str],
        layout: str,
        categories: dict[str, list[Any]],
    ) -> None:
        self.estimator = estimator
        self.classes = classes
        self.columns = columns
        self.layout = layout
        self.categories = categories

    @classmethod
    def load(cls, folder: Path) -> LabelledModel:
        """Load a model that has been saved with its card."""
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        return cls(_estimator(folder, card.pop("flavor")), **card)

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        """Predict for rows of shape (n_rows, n_columns).

        Returns
        -------
        DataFrame of shape (n_rows, n_classes), or ndarray of shape (n_rows,)
            Probabilities in columns named by label; labels where the classifier has no probabilities; numbers for
            regression.
        """
        rows = self._as_trained(data)
        if self.classes is None:
            return np.asarray(self.estimator.predict(rows))
        if not hasattr(self.estimator, "predict_proba"):
            return np.asarray(self.classes)[np.asarray(self.estimator.predict(rows), dtype=int)]
        names = [str(label) for label in self.classes]
        return pd.DataFrame(np.asarray(self.estimator.predict_proba(rows), dtype=np.float64), columns=names)

    def get_raw_model(self) -> Any:
        """Return the estimator itself, as MLflow's own wrappers do."""
        return self.estimator

    def _as_trained(self, data: Any) -> Any:
        if self.layout in (FRAME, ONE_HOT):
            rows = data[self.columns] if self.columns else data
            if self.layout == ONE_HOT:
                return one_hot(rows, self.categories)
            return rows.astype({name: pd.CategoricalDtype(values) for name, values in self.categories.items()})
        if isinstance(data, pd.DataFrame):
            data = data[self.columns].to_numpy() if set(self.columns) <= set(data.columns) else data.to_numpy()
        if self.layout == DENSE:
            return dense(data)
        rows = sp.csr_matrix(data)
        rows.eliminate_zeros()
        return rows


def one_hot(frame: pd.DataFrame, categories: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """Replace each categorical column by a column ``NAME=VALUE`` of 0.0 and 1.0 for each of its known values.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
    categories : mapping of str to sequence
        The known values of each categorical column. A row without a value, or with another one, is 0.0 in all of them.

    Returns
    -------
    DataFrame of shape (n_rows, n_encoded), float64
        In the order of the columns, and of the values of each.
    """
    columns: dict[str, Any] = {}
    width = 0
    for name in frame.columns:
        if name in categories:
            values = frame[name].astype(object)
            encoded = {f"{name}={value}": (values == value).to_numpy(np.float64) for value in categories[name]}
        else:
            encoded = {name: frame[name].to_numpy(np.float64)}
        columns |= encoded
        width += len(encoded)
    if len(columns) < width:
        raise ValueError("a column has the name of another one's category")
    return pd.DataFrame(columns, index=frame.index)


def dense(rows: Any) -> Any:
    """Return `rows` as an ndarray of shape (n_rows, n_columns)."""
    is_sparse: bool = sp.issparse(rows)
    return rows.toarray() if is_sparse else np.asarray(rows)


def _estimator(folder: Path, flavor: str) -> Any:
    if flavor == "xgboost":
        import mlflow.xgboost

        return mlflow.xgboost.load_model(str(folder))
    import mlflow.sklearn

    return mlflow.sklearn.load_model(str(folder))


def _load_pyfunc(path: str) -> LabelledModel:
    return LabelledModel.load(Path(path))
