"""A fitted estimator as an MLflow model folder that loads without executing pickles, where the estimator allows it.

XGBoost's estimators are saved by XGBoost itself (UBJSON), others by skops. Only an estimator that needs types from
outside the libraries that its requirements pin falls back to cloudpickle, and the reason is handed back to be told.
Modules of the user's own, which no requirement can name, travel in the model's folder.

XGBoost, skops and MLflow's parts for them are imported where a model is saved, since most commands save none. The pip
requirements are pinned here from what is installed: MLflow would infer them by loading the model again in a process of
its own, which takes longer than all the rest.
"""

from __future__ import annotations

import json
import pickletools
import shutil
import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any

import cloudpickle
import pandas as pd
import scipy.sparse as sp
from mlflow.models import Model, infer_signature
from mlflow.models.signature import ModelSignature
from mlflow.types import ColSpec, Schema
from mlflow.types.schema import AnyType

from tracking import gridfold_model, preparation
from tracking.gridfold_model import CARD, CODE, DENSE, FRAME, LEARNED, MODULE, ONE_HOT, SPARSE, LabelledModel, dense
from tracking.preparation import Preparation
from tuning.spec.modules import installed_imports, local_modules

NAMED_COLUMNS = 200
COLUMNS = "gridfold.columns"
"""The model's metadata under this name say what each column of a caller's rows holds."""

_TRUSTED = ("sklearn.", "numpy.", "scipy.", "xgboost.", "lightgbm.", "catboost.", "collections.OrderedDict")
_ALWAYS = ("mlflow", "numpy", "pandas", "scipy", "scikit-learn")


@dataclass(frozen=True)
class FittedModel:
    """What is logged: an estimator and what it needs to be understood.

    Attributes
    ----------
    estimator : object
        Fitted, with scikit-learn's API; for classification its classes are `classes`, or the codes 0 .. n_classes - 1.
    example : csr_matrix, ndarray or DataFrame of shape (n_rows, n_columns)
        A few training rows, in the layout that the estimator was trained on; but see `one_hot`.
    classes : sequence or None
        The labels in order; None for regression and for several targets.
    columns : sequence of str
        Names of the columns of `example`; may be empty.
    one_hot : bool
        The estimator was trained on ``gridfold_model.one_hot`` of rows such as `example`, a frame.
    preparation : Preparation or None
        Makes such rows of what a caller has, who then need not know of them. For classifiers only.
    plain_names : bool
        The estimator was trained on a frame with ``gridfold_model.plain_names``.
    targets : sequence of str
        Names of what is predicted, where it is several columns.
    decides : bool
        Whether a classifier says, beside the probabilities, which label it decides for.
    learned : mapping or None
        The distribution of the training rows, as JSON can say it.
    """

    estimator: Any
    example: Any
    classes: Sequence[Any] | None = None
    columns: Sequence[str] = ()
    one_hot: bool = False
    preparation: Preparation | None = None
    plain_names: bool = False
    targets: Sequence[str] = ()
    decides: bool = False
    learned: Mapping[str, Any] | None = None


def save(fitted: FittedModel, folder: Path, about: Model) -> str | None:
    """Write `fitted` into `folder` as an MLflow model.

    Parameters
    ----------
    fitted : FittedModel
    folder : Path
        Must be empty or absent.
    about : Model
        MLflow's description of the model, which is completed and written beside it.

    Returns
    -------
    str or None
        Why the model could only be pickled; None where it loads without pickles.
    """
    form = _form_of(fitted.estimator)
    card = _card(fitted, form.flavor)
    signature, example = _shown(fitted, card)
    options = {
        "mlflow_model": about,
        "signature": signature,
        "input_example": example,
        "code_paths": [str(path) for path in (Path(gridfold_model.__file__).parent, *form.modules)],
    }
    about.metadata = {**(about.metadata or {}), COLUMNS: _columns(fitted, card)}
    extra = fitted.preparation.requires if fitted.preparation else ()
    _save_natively(fitted.estimator, form, folder, requirements(fitted.estimator, extra, form.modules), options)
    for compiled in (folder / CODE).rglob("__pycache__"):
        shutil.rmtree(compiled)
    if fitted.preparation:
        preparation.save(fitted.preparation, folder)
    (folder / CARD).write_text(json.dumps(card, ensure_ascii=False), encoding="utf-8")
    if fitted.learned:
        (folder / LEARNED).write_text(json.dumps(fitted.learned, ensure_ascii=False), encoding="utf-8")
    _predict_by_label(about, folder)
    return form.reason


@dataclass(frozen=True)
class _Form:
    """How an estimator is written: XGBoost's, else skops with the types that it is to trust, else pickled for a reason.

    The user's own `modules` go with a pickle, which knows their classes by name.
    """

    flavor: str
    trusted: list[str]
    reason: str | None = None
    modules: Sequence[Path] = ()


def _form_of(estimator: Any) -> _Form:
    if _is_xgboosts(estimator):
        return _Form("xgboost", [])
    needed, reason = _skops_types(estimator)
    if reason is None:
        return _Form("sklearn", needed)
    strings = {word for _, word, _ in pickletools.genops(cloudpickle.dumps(estimator)) if isinstance(word, str)}
    return _Form("sklearn", [], reason, local_modules([sys.modules[word] for word in strings & sys.modules.keys()]))


def _is_xgboosts(estimator: Any) -> bool:
    """Whether XGBoost can write all of it: not what a subclass of the user's adds, nor a function of theirs."""
    if "xgboost" not in sys.modules:
        return False
    import xgboost

    written = isinstance(estimator, xgboost.XGBModel) and type(estimator).__module__.startswith("xgboost.")
    return written and not local_modules(estimator)


def _save_natively(estimator: Any, form: _Form, folder: Path, needs: list[str], options: dict[str, Any]) -> None:
    if form.flavor == "xgboost":
        import mlflow.xgboost

        mlflow.xgboost.save_model(estimator, str(folder), pip_requirements=needs, **options)
        return
    import mlflow.sklearn

    serialization, package = ("cloudpickle", "cloudpickle") if form.reason else ("skops", "skops")
    mlflow.sklearn.save_model(
        estimator,
        str(folder),
        serialization_format=serialization,
        skops_trusted_types=None if form.reason else form.trusted,
        pip_requirements=[*needs, _pinned(package)],
        **options,
    )


def _skops_types(estimator: Any) -> tuple[list[str], str | None]:
    """Return the types that skops is to be told to trust, and why it cannot be used, if it cannot."""
    import skops.io

    try:
        needed = skops.io.get_untrusted_types(data=skops.io.dumps(estimator))
    except Exception as error:  # skops raises what the estimator's own state raises
        return [], f"skops cannot write it ({type(error).__name__})"
    strange = [name for name in needed if not name.startswith(_TRUSTED)]
    return needed, f"it holds {', '.join(strange)}, which skops does not know to be safe" if strange else None


def requirements(estimator: Any, extra: Iterable[str] = (), modules: Sequence[Path] = ()) -> list[str]:
    """Return the installed distributions that `estimator` and its parts come from, pinned, with what loading needs.

    `extra` names more of them; so do the imports of the user's own `modules`, which are no distributions themselves.
    """
    parts = [estimator, *(value for value in estimator.get_params(deep=True).values() if hasattr(value, "get_params"))]
    roots = {type(part).__module__.partition(".")[0] for part in parts} | installed_imports(modules)
    roots -= {"sklearn", *(path.stem for path in modules)}
    found = {name for name in map(_distribution, roots) if name}
    return [_pinned(name) for name in sorted({*_ALWAYS, *found, *extra})]


def _distribution(package: str) -> str | None:
    """Return what `package` was installed as; a look at all that is installed takes a second, and is seldom needed."""
    try:
        version(package)
        return package
    except PackageNotFoundError:
        return next(iter(packages_distributions().get(package, [])), None)


def _pinned(distribution: str) -> str:
    return f"{distribution}=={version(distribution)}"


def _card(fitted: FittedModel, flavor: str) -> dict[str, Any]:
    example = fitted.example
    frame = isinstance(example, pd.DataFrame)
    of_frame = ONE_HOT if fitted.one_hot else FRAME
    return {
        "flavor": flavor,
        "classes": None if fitted.classes is None else _plain(fitted.classes),
        "columns": [str(name) for name in fitted.columns],
        "layout": of_frame if frame else SPARSE if sp.issparse(example) else DENSE,
        "categories": {name: _plain(example[name].cat.categories) for name in _categorical(example)} if frame else {},
        "types": {str(name): str(dtype) for name, dtype in example.dtypes.items()} if frame else {},
        "plain_names": fitted.plain_names,
        **({"targets": list(fitted.targets)} if fitted.targets else {}),
        **({"decides": True} if fitted.decides else {}),
    }


def _columns(fitted: FittedModel, card: Mapping[str, Any]) -> dict[str, str]:
    """Say what each column of a caller's rows holds; the signature does not."""
    if fitted.preparation:
        return preparation.described(fitted.preparation)
    words = {"category": "category", "bool": "true or false", "int64": "whole numbers"}
    return {name: words.get(kind, "numbers") for name, kind in card["types"].items()}


def _categorical(frame: pd.DataFrame) -> list[str]:
    return [str(name) for name, dtype in frame.dtypes.items() if isinstance(dtype, pd.CategoricalDtype)]


def _plain(values: Iterable[Any]) -> list[Any]:
    """Return `values` as JSON can say them: numpy's scalars are not numbers to it."""
    return [value.item() if hasattr(value, "item") else value for value in values]


def _shown(fitted: FittedModel, card: Mapping[str, Any]) -> tuple[ModelSignature, Any]:
    """Return the signature and the example of what a caller sends."""
    if fitted.preparation:
        probable = hasattr(fitted.estimator, "predict_proba")
        signature = preparation.signature_of(fitted.preparation, fitted.classes or () if probable else ())
        return signature, preparation.example_of(fitted.preparation)
    example = example_of(fitted)
    described = {name: value for name, value in card.items() if name != "flavor"}
    model = LabelledModel(fitted.estimator, **described)
    predicted = model.predict_matrix(model.as_trained(fitted.example))
    signature = _signature(example, predicted)
    return (_of_anything(signature) if isinstance(fitted.example, pd.DataFrame) else signature), example


def example_of(fitted: FittedModel) -> Any:
    """Return the rows to show: with names where they are few enough to be typed, else as the matrix that they are.

    With 22,000 named columns MLflow takes 14 s to load the model and 7 s to predict one row; with a matrix 0.2 s.
    """
    example = fitted.example
    if isinstance(example, pd.DataFrame):
        return example.astype(dict.fromkeys(_categorical(example), object))
    if not 0 < len(fitted.columns) <= NAMED_COLUMNS:
        return example
    return pd.DataFrame(dense(example), columns=list(fitted.columns))


def _signature(example: Any, predicted: Any) -> ModelSignature:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of gaps, and that types cannot be told
        return infer_signature(example, predicted)


def _of_anything(signature: ModelSignature) -> ModelSignature:
    """Name the columns, and let MLflow ask no type of them, which the model does itself.

    MLflow is stricter than any table: it refuses whole numbers where fractions were, gaps in whole numbers, pandas' own
    types and categories; and a server cuts fractions off, and makes false of a gap, without a word.
    """
    columns = [ColSpec(AnyType(), name) for name in signature.inputs.input_names()]
    return ModelSignature(Schema(columns), signature.outputs)


def _predict_by_label(about: Model, folder: Path) -> None:
    """Make ``mlflow.pyfunc`` load the model through the file that travels with it; the native flavor stays."""
    pyfunc = about.flavors["python_function"]
    for key in ("data", "model_path", "predict_fn"):
        pyfunc.pop(key, None)
    pyfunc["loader_module"] = MODULE
    about.save(str(folder / "MLmodel"))
