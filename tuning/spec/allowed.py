"""What a spec may name, by kind and module; nothing is imported before its name is allowed.

A spec is data: it may come from a colleague's run or a server, and reading it must not start programs, read files or
reach for the network. So classes must be of a kind that waits to be used (estimators, splitters, kernels), and
functions come from modules that only compute.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable
from functools import partial
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import numpy as np

from errors import SpecError, did_you_mean
from tuning.spec.modules import import_own, own_place

LIBRARIES = ("sklearn", "xgboost", "lightgbm", "catboost", "imblearn")
"""Libraries whose estimators may be named."""

_EXTRAS = {"lightgbm": "lightgbm", "catboost": "catboost", "imblearn": "imbalanced"}
_ESTIMATOR = ("fit", "get_params", "set_params")
_SPLITTER = ("split", "get_n_splits")
_OTHER_CLASSES = ("make_column_selector",)

_FUNCTION_MODULES = (
    *(f"sklearn.{name}" for name in ("cluster", "covariance", "decomposition", "feature_selection", "linear_model")),
    *(f"sklearn.{name}" for name in ("manifold", "metrics", "metrics.pairwise", "preprocessing")),
    *("scipy.linalg", "scipy.spatial.distance", "scipy.special", "scipy.stats", "numpy.linalg"),
)
# Of numpy itself any ufunc, and these; it also has load, save, fromfile and more that touch files.
_NUMPY_FUNCTIONS = frozenset(
    {"abs", "absolute", "all", "any", "argmax", "argmin", "around", "average", "clip", "count_nonzero", "cumsum"}
    | {"diff", "dot", "imag", "max", "mean", "median", "min", "nan_to_num", "nanmax", "nanmean", "nanmedian", "nanmin"}
    | {"nanstd", "nansum", "percentile", "prod", "ptp", "quantile", "ravel", "real", "round", "sort", "std", "sum"}
    | {"transpose", "var", "where"}
)


def class_named(path: str) -> type:
    """Import the class that `path` names.

    Raises
    ------
    SpecError
        It may not be named, does not exist, or is of no kind that a spec can use.
    """
    module_name, name = _parts(path)
    module = _module(module_name, path)
    found = getattr(module, name, None)
    if found is None:
        classes = [known for known, value in vars(module).items() if isinstance(value, type)]
        raise SpecError(f"{module_name} has no class '{name}'.{did_you_mean(name, classes)}")
    if not isinstance(found, type):
        advice = f" Write {{function: {path}}}." if callable(found) else " Name a class."
        raise SpecError(f"'{path}' is not a class.{advice}")
    if not (_is_ours_to_build(found) or own_place(found.__module__.partition(".")[0])):
        raise SpecError(
            f"'{path}' is not an estimator of scikit-learn's kind (fit, get_params, set_params), a splitter "
            "(split, get_n_splits) or a kernel. Name one of these."
        )
    return found


def function_named(path: str) -> Callable[..., Any]:
    """Import the function that `path` names.

    Raises
    ------
    SpecError
        It may not be named, or does not exist.
    """
    module_name, name = _parts(path)
    own = own_place(module_name.partition(".")[0]) is not None
    if not own and module_name not in ("numpy", *_FUNCTION_MODULES):
        raise SpecError(_no_function(path))
    module = import_own(module_name) if own else importlib.import_module(module_name)
    found = getattr(module, name, None)
    if found is None:
        known = [known for known, value in vars(module).items() if callable(value) and not isinstance(value, type)]
        raise SpecError(f"{module_name} has no function '{name}'.{did_you_mean(name, known)}")
    if isinstance(found, type) or not callable(found):
        raise SpecError(f"'{path}' is not a function.{f' Write {{class: {path}}}.' if callable(found) else ''}")
    if not (_is_defined_in_own(found) if own else _only_computes(module, name, found)):
        raise SpecError(_no_function(path))
    return found  # type: ignore[no-any-return]


def _parts(path: str) -> tuple[str, str]:
    module_name, _, name = path.rpartition(".")
    if not module_name:
        raise SpecError(f"expected a dotted path, got '{path}'.{_full_path(path)}")
    if not all(part.isidentifier() for part in path.split(".")) or "__" in path:
        raise SpecError(f"'{path}' is not a dotted path. Write it as 'sklearn.linear_model.LogisticRegression'.")
    return module_name, name


def _module(name: str, path: str) -> ModuleType:
    top = name.partition(".")[0]
    if top in LIBRARIES:
        return _library_module(name, top)
    if own_place(top) is not None:
        return import_own(name)
    hint = did_you_mean(top, LIBRARIES)
    if hint:
        raise SpecError(f"no module named '{top}'.{hint}")
    raise SpecError(
        f"'{path}' may not be named: {top} is neither {', '.join(LIBRARIES[:-1])} or {LIBRARIES[-1]} nor a module in "
        f"the project's folder or beside the spec. To use another library's estimator, import it in a mymodels.py "
        f"there and name mymodels.{path.rpartition('.')[2]}."
    )


def _library_module(name: str, top: str) -> ModuleType:
    if set(name.split(".")) & {"conftest", "datasets", "testing", "tests"}:
        raise SpecError(f"no class of {name} may be named. Name an estimator.")
    try:
        importlib.import_module(top)
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == top:
            how = f"pip install -e '.[{_EXTRAS[top]}]'" if top in _EXTRAS else f"pip install {top}"
            raise SpecError(f"no module named '{top}' is installed. Install it: {how}.") from error
        raise SpecError(f"no module named '{error.name or name}'. Check the path.") from error


def _is_ours_to_build(kind: type) -> bool:
    from sklearn.gaussian_process.kernels import Kernel

    kinds = (_ESTIMATOR, _SPLITTER)
    has_methods = any(all(callable(getattr(kind, name, None)) for name in names) for names in kinds)
    return has_methods or issubclass(kind, Kernel) or kind.__name__ in _OTHER_CLASSES


def _only_computes(module: ModuleType, name: str, found: Any) -> bool:
    if isinstance(found, np.ufunc):
        return True
    if module.__name__ == "numpy":
        return name in _NUMPY_FUNCTIONS
    is_plain = isinstance(found, FunctionType | BuiltinFunctionType) or type(found).__module__.startswith("numpy")
    is_public = name in module.__all__ if hasattr(module, "__all__") else found.__module__ == module.__name__
    return is_plain and is_public and name != "test"


def _is_defined_in_own(found: Any) -> bool:
    module = getattr(found, "__module__", None) or ""
    return isinstance(found, partial) or own_place(module.partition(".")[0]) is not None


def _no_function(path: str) -> str:
    short = ", ".join(name for name in _FUNCTION_MODULES if name.startswith("sklearn") and name.count(".") == 1)
    return (
        f"the function '{path}' may not be named. Name one of {short}, scipy.special, scipy.stats, scipy.linalg, "
        "scipy.spatial.distance, numpy.linalg, a ufunc of numpy, or one that a module in the project's folder defines."
    )


def _full_path(class_name: str) -> str:
    """Name the dotted path that a bare class name probably stands for."""
    from sklearn.utils import all_estimators

    paths = {name: f"{kind.__module__.split('._')[0]}.{name}" for name, kind in all_estimators()}
    paths |= {name: f"xgboost.{name}" for name in ("XGBClassifier", "XGBRegressor", "XGBRanker")}
    paths |= {name: f"xgboost.{name}" for name in ("XGBRFClassifier", "XGBRFRegressor")}
    paths |= {name: f"lightgbm.{name}" for name in ("LGBMClassifier", "LGBMRegressor")}
    paths |= {name: f"catboost.{name}" for name in ("CatBoostClassifier", "CatBoostRegressor")}
    near = difflib.get_close_matches(class_name, paths, n=1)
    return f" Did you mean '{paths[near[0]]}'?" if near else " Write it as 'xgboost.XGBClassifier'."
