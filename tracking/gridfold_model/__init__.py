"""How a logged model predicts: this package travels inside each model, and is what ``mlflow.pyfunc`` loads.

MLflow's own loaders return class codes for an XGBClassifier, know nothing of the labels, and pass a dense zero on as a
zero, which a booster that was trained on sparse rows takes for a missing value. This one returns a probability per
label, and rebuilds the layout that the estimator was trained on: sparse rows, categories, or the columns that stand
for them. It imports nothing of the repo, so it works wherever the model's pip requirements are.

A model may have a preparation: code and vocabularies, in a folder of the model's own, that make the estimator's rows of
what a caller has. That code is imported from there and nowhere else, so a model predicts as it did on the day it was
logged, whatever version of the repo the process holds. Modules of the user's own that the estimator's classes come from
lie in MLflow's folder for code, and are imported from there in the same way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from mlflow.exceptions import MlflowException

from .modules import imported_from, own_modules
from .rows import RowsError, framed, gaps_in, one_hot, plain_names

__all__ = ["LabelledModel", "dense", "imported_from", "one_hot", "plain_names"]

MODULE = Path(__file__).parent.name
CARD, LEARNED = "gridfold.json", "gridfold_training.json"
PREPARATION, CODE, LOADER = "preparation", "code", "loader.json"
SPARSE, DENSE, FRAME, ONE_HOT = "sparse", "dense", "frame", "one_hot"


class LabelledModel:
    """A fitted estimator with the names of its classes and columns.

    Parameters
    ----------
    estimator : object
        Fitted, with scikit-learn's API.
    classes : list or None
        The labels in order; None for regression and for several targets. The estimator has learned them, or their
        places in this list.
    columns : list of str
        Empty where they have no names.
    layout : {'sparse', 'dense', 'frame', 'one_hot'}
        What the estimator was trained on; ``one_hot`` is a frame with a column for each category.
    categories : dict of str to list
        Of a frame, the known values of each categorical column: MLflow's signatures have no such type, so rows come
        with plain values.
    types : dict of str to str, optional
        Of a frame, the types of its columns: rows may come with others, such as pandas' own or objects.
    preparation : object or None
        Makes the estimator's rows of a caller's (``transform_raw(frame)``) or of whole tables
        (``transform(keys, tables)``).
    plain_names : bool
        Of a frame, whether the estimator was given `plain_names` of its columns.
    targets : sequence of str
        Names of what is predicted, where it is several columns.
    decides : bool
        Whether a column ``predicted`` beside the probabilities says which label the estimator decides for.
    """

    def __init__(
        self,
        estimator: Any,
        classes: list[Any] | None,
        columns: list[str],
        layout: str,
        categories: dict[str, list[Any]],
        types: Mapping[str, str] | None = None,
        preparation: Any = None,
        plain_names: bool = False,
        targets: Sequence[str] = (),
        decides: bool = False,
    ) -> None:
        self.estimator = estimator
        self.classes = classes
        self.columns = columns
        self.layout = layout
        self.categories = categories
        self.types = types or {}
        self.preparation = preparation
        self.plain_names = plain_names
        self.targets = targets
        self.decides = decides

    @classmethod
    def load(cls, folder: Path) -> LabelledModel:
        """Load a model that has been saved with its card."""
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        model = cls(_estimator(folder, card.pop("flavor")), **card, preparation=_preparation(folder / PREPARATION))
        model.use_threads(1)
        return model

    def use_threads(self, count: int) -> None:
        """Let a booster predict with `count` threads, 0 for all cores; call it before the model is shared.

        A loaded model has one: for the rows of a request, waking others takes longer than predicting, a hundred times
        on a busy machine, and servers run a process for each core.
        """
        if hasattr(self.estimator, "get_booster"):
            self.estimator.get_booster().set_param({"nthread": count})
        elif hasattr(self.estimator, "booster_"):  # LightGBM's
            self.estimator.set_params(n_jobs=count or -1)

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        """Predict for a caller's rows, of shape (n_rows, n_columns) where there is no preparation.

        Returns
        -------
        DataFrame of shape (n_rows, n_classes) or (n_rows, n_targets), or ndarray of shape (n_rows,)
            Probabilities in columns named by label; labels where the classifier has no probabilities; numbers for
            regression. Of several targets numbers or labels, in columns named by target. A frame has the index of the
            caller's.

        Raises
        ------
        MlflowException
            The rows are not what the model takes; a server answers 400 with its message.
        """
        rows = None
        try:
            rows = self.as_trained(data) if self.preparation is None else self._prepared(data)
            predicted = self.predict_matrix(rows)
        except RowsError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from error
        except MlflowException:
            raise
        except Exception as error:  # of the estimator's library, each of which has its own
            raise MlflowException.invalid_parameter_value(self._refusal(error, rows)) from error
        if isinstance(predicted, pd.DataFrame) and isinstance(data, pd.DataFrame):
            return predicted.set_axis(data.index, axis=0)
        return predicted

    def predict_tables(self, keys: Any, tables: Any, **options: Any) -> Any:
        """Predict for the rows that the preparation makes of `tables` for each of `keys`."""
        return self.predict_matrix(self.preparation.transform(keys, tables, **options))

    def predict_matrix(self, rows: Any) -> Any:
        """Predict for rows in the layout that the estimator was trained on."""
        if self.classes is None:
            numbers = np.asarray(self.estimator.predict(rows))
            return pd.DataFrame(numbers, columns=list(self.targets)) if self.targets else numbers
        if not hasattr(self.estimator, "predict_proba"):
            return self._labels(rows)
        names = [str(label) for label in self.classes]
        none = np.zeros((0, len(names)))  # which estimators refuse to predict
        probabilities = self.estimator.predict_proba(rows) if rows.shape[0] else none
        frame = pd.DataFrame(np.asarray(probabilities, dtype=np.float64), columns=names)
        return frame.assign(predicted=self._labels(rows) if rows.shape[0] else []) if self.decides else frame

    def _labels(self, rows: Any) -> Any:
        predicted = np.asarray(self.estimator.predict(rows))
        classes = np.asarray(self.classes)
        learned = np.asarray(getattr(self.estimator, "classes_", classes))
        return predicted if np.array_equal(learned, classes) else classes[predicted.astype(int)]

    def get_raw_model(self) -> Any:
        """Return the estimator itself, as MLflow's own wrappers do."""
        return self.estimator

    def _refusal(self, error: Exception, rows: Any) -> str:
        steps = getattr(self.estimator, "steps", [("", self.estimator)])
        said = next(iter(str(error).strip().splitlines()), type(error).__name__).removesuffix(".")
        gaps = gaps_in(rows)
        return f"{gaps or 'the rows are such'}, as {type(steps[-1][1]).__name__} does not take them ({said})."

    def _prepared(self, data: Any) -> Any:
        try:
            return self.preparation.transform_raw(data if isinstance(data, pd.DataFrame) else pd.DataFrame(data))
        except ValueError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from error

    def as_trained(self, data: Any) -> Any:
        """Return a caller's rows in the layout that the estimator was trained on.

        Raises
        ------
        RowsError
            A column is missing, or holds what the model does not take.
        """
        if self.layout in (FRAME, ONE_HOT):
            frame = framed(data, self.columns, self.types, self.categories)
            if self.layout == ONE_HOT:
                frame = one_hot(frame, self.categories)
            return frame.set_axis(plain_names(list(frame.columns)), axis=1) if self.plain_names else frame
        if isinstance(data, pd.DataFrame):
            data = (data[self.columns] if set(self.columns) <= set(data.columns) else data).to_numpy()
        if self.layout == DENSE:
            return dense(data)
        rows = sp.csr_matrix(data)
        rows.eliminate_zeros()
        return rows


def dense(rows: Any) -> Any:
    """Return `rows` as an ndarray of shape (n_rows, n_columns)."""
    is_sparse: bool = sp.issparse(rows)
    return rows.toarray() if is_sparse else np.asarray(rows)


def _estimator(folder: Path, flavor: str) -> Any:
    with own_modules(folder / CODE):
        return _as_mlflow_has_it(folder, flavor)


def _as_mlflow_has_it(folder: Path, flavor: str) -> Any:
    if flavor == "xgboost":
        import mlflow.xgboost

        return mlflow.xgboost.load_model(str(folder))
    import mlflow.sklearn

    return mlflow.sklearn.load_model(str(folder))


def _preparation(folder: Path) -> Any:
    if not folder.is_dir():
        return None
    module, _, name = json.loads((folder / LOADER).read_text(encoding="utf-8")).partition(":")
    return getattr(imported_from(folder / CODE, module), name).load(folder)


def _load_pyfunc(path: str) -> LabelledModel:
    return LabelledModel.load(Path(path))
