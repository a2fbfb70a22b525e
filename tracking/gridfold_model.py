"""How a logged model predicts: this file travels inside each model, and is what ``mlflow.pyfunc`` loads.

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

import importlib
import json
import re
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from mlflow.exceptions import MlflowException

CARD = "gridfold.json"
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
            regression. Of several targets numbers or labels, in columns named by target.

        Raises
        ------
        MlflowException
            The preparation refuses the rows; a server answers 400 with its message.
        """
        return self.predict_matrix(self.as_trained(data) if self.preparation is None else self._prepared(data))

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

    def _prepared(self, data: Any) -> Any:
        try:
            return self.preparation.transform_raw(data if isinstance(data, pd.DataFrame) else pd.DataFrame(data))
        except ValueError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from error

    def as_trained(self, data: Any) -> Any:
        """Return a caller's rows in the layout that the estimator was trained on."""
        if self.layout in (FRAME, ONE_HOT):
            frame = self._frame(data[self.columns] if self.columns else data)
            return frame.set_axis(plain_names(frame.columns), axis=1) if self.plain_names else frame
        if isinstance(data, pd.DataFrame):
            data = data[self.columns].to_numpy() if set(self.columns) <= set(data.columns) else data.to_numpy()
        if self.layout == DENSE:
            return dense(data)
        rows = sp.csr_matrix(data)
        rows.eliminate_zeros()
        return rows

    def _frame(self, rows: Any) -> Any:
        others = [name for name, kind in self.types.items() if kind not in ("category", str(rows[name].dtype))]
        rows = rows.assign(**{name: _typed(rows[name], self.types[name]) for name in others})
        if self.layout == ONE_HOT:
            return one_hot(rows, self.categories)
        known = {name: rows[name].where(rows[name].isin(values)) for name, values in self.categories.items()}
        types = {name: pd.CategoricalDtype(values) for name, values in self.categories.items()}
        return rows.assign(**known).astype(types)


def plain_names(names: Sequence[str]) -> list[str]:
    """Return names that every library takes, one for each of `names`.

    XGBoost refuses ``[]<`` and LightGBM what JSON is made of; LightGBM rewrites blanks, and then may find two alike.
    """
    plain: dict[str, None] = {}
    for name in names:
        base = candidate = re.sub(r"[^\w=.+-]", "_", str(name))
        number = 1
        while candidate in plain:
            number += 1
            candidate = f"{base}_{number}"
        plain[candidate] = None
    return list(plain)


def _typed(column: pd.Series, kind: Any) -> pd.Series:
    """Return numbers or truths in the type that the estimator was trained on; where there are gaps, as numbers."""
    try:
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        said = f"column '{column.name}' holds {column.dtype} that are no numbers ({error})."
        raise MlflowException.invalid_parameter_value(said) from error
    lossless = kind != "float64" and not np.isnan(numbers).any() and (numbers.astype(kind) == numbers).all()
    return column.astype(kind) if lossless else pd.Series(numbers, index=column.index)


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
    with _own_modules(folder / CODE):
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


_IMPORTING = threading.Lock()


@contextmanager
def _own_modules(folder: Path) -> Iterator[None]:
    """Let classes be imported from `folder`, and not be those of another model's modules or of the process's own.

    The modules stay in ``sys.modules``, for what they import later, unless the process has others of these names.
    """
    names = {path.stem for path in folder.iterdir()} if folder.is_dir() else set()
    roots = {name for name in names if name.isidentifier()} - {"__pycache__", Path(__file__).stem}
    if not roots:
        yield
        return
    with _IMPORTING:
        here = _taken_out(roots)
        sys.path.insert(0, str(folder))
        importlib.invalidate_caches()
        try:
            yield
        finally:
            sys.path.remove(str(folder))
            if here:
                _taken_out(roots)
                sys.modules.update(here)


def _taken_out(roots: set[str]) -> dict[str, Any]:
    """Remove the modules at and below `roots` from ``sys.modules``, and return them."""
    names = [name for name in sys.modules if name.partition(".")[0] in roots]
    return {name: sys.modules.pop(name) for name in names}


def imported_from(folder: Path, name: str) -> Any:
    """Import the module `name` from `folder`, apart from any modules of the same names that the process has.

    The modules stay out of ``sys.modules``, so whatever they need must be imported at their tops.
    """
    roots = {path.stem for path in folder.iterdir()}
    with _IMPORTING:
        here = _taken_out(roots)
        sys.path.insert(0, str(folder))
        importlib.invalidate_caches()
        try:
            return importlib.import_module(name)
        finally:
            sys.path.remove(str(folder))
            _taken_out(roots)
            sys.modules.update(here)


def _load_pyfunc(path: str) -> LabelledModel:
    return LabelledModel.load(Path(path))
