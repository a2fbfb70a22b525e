"""From the spec's words to estimators: find the class, build it, set one candidate's parameters."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import all_estimators

from errors import SpecError, did_you_mean

_NEEDED = ("fit", "get_params", "set_params")  # transformers are steps, so predict is not asked for here
_LIBRARIES = ("sklearn", "xgboost", "lightgbm", "catboost")


def estimator_class(path: str) -> type:
    """Import the estimator class that `path` names.

    Raises
    ------
    SpecError
        There is no such class, or it does not have scikit-learn's estimator API.
    """
    module_name, _, class_name = path.rpartition(".")
    if not module_name:
        raise SpecError(f"estimator: expected a dotted path, got '{path}'.{_full_path(path)}")
    module = _import(module_name)
    found = getattr(module, class_name, None)
    if found is None:
        classes = [name for name, value in vars(module).items() if isinstance(value, type)]
        raise SpecError(f"estimator: {module_name} has no class '{class_name}'.{did_you_mean(class_name, classes)}")
    lacking = [name for name in _NEEDED if not callable(getattr(found, name, None))]
    if not isinstance(found, type) or lacking:
        raise SpecError(
            f"estimator: '{path}' is not an estimator of scikit-learn's kind"
            f" (no {', '.join(lacking) or 'class'}). Name a class with fit, get_params and set_params."
        )
    return found


def make_estimator(path: str | Sequence[Mapping[str, str]], fixed: Mapping[str, Any]) -> Any:
    """Build an unfitted estimator with `fixed` set.

    Parameters
    ----------
    path : str or sequence of mapping
        A class's dotted path, or the steps of a pipeline: ``[{scale: sklearn...}, {model: xgboost...}]``.
    fixed : mapping of str to object
        A pipeline's by ``step__name``.

    Raises
    ------
    SpecError
        The class does not exist, or cannot be built without arguments.
    """
    if isinstance(path, str):
        return _build(path).set_params(**fixed)
    if not path or any(len(step) != 1 for step in path):
        raise SpecError("estimator: expected steps of the form 'name: path', one name each. Write - scale: sklearn...")
    steps = [(name, _build(step_path)) for step in path for name, step_path in step.items()]
    names = [name for name, _ in steps]
    if len(set(names)) < len(names):
        raise SpecError("estimator: two steps have the same name. Rename one.")
    return Pipeline(steps).set_params(**fixed)


def _build(path: str) -> Any:
    kind = estimator_class(path)
    try:
        return kind()
    except TypeError as error:
        raise SpecError(f"estimator: {path} cannot be built from parameters alone ({error}).") from error


def for_candidate(estimator: Any, params: Mapping[str, Any], threads: int | None) -> Any:
    """Return a fresh copy of `estimator` with one candidate's parameters, held to `threads` threads unless None."""
    fresh = clone(estimator).set_params(**params)
    return fresh if threads is None else fresh.set_params(**dict.fromkeys(_thread_parameters(fresh), threads))


def _thread_parameters(estimator: Any) -> list[str]:
    """Names of the parameters, nested ones included, that must be set to hold the estimator to some threads.

    None means one thread to scikit-learn's own estimators, and some of them warn when told a number; to XGBoost and
    others it means all cores.
    """
    params = estimator.get_params(deep=True)
    names = [name for name in params if name == "n_jobs" or name.endswith("__n_jobs")]
    owners = {name: params[name.removesuffix("__n_jobs")] if "__" in name else estimator for name in names}
    return [name for name in names if params[name] is not None or not _is_of_sklearn(owners[name])]


def _is_of_sklearn(estimator: Any) -> bool:
    return type(estimator).__module__.startswith("sklearn.")


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        root = name.partition(".")[0]
        hint = did_you_mean(root, _LIBRARIES) if root not in _LIBRARIES else ""
        missing = error.name or name
        advice = hint or f" Install {missing}." if missing == root else hint
        raise SpecError(f"estimator: no module named '{missing}'.{advice}") from error


def _full_path(class_name: str) -> str:
    """Name the dotted path that a bare class name probably stands for."""
    import xgboost

    paths = {name: f"{kind.__module__.split('._')[0]}.{name}" for name, kind in all_estimators()}
    paths |= {name: f"xgboost.{name}" for name in vars(xgboost) if name.startswith("XGB")}
    near = paths.get(class_name)
    return f" Did you mean '{near}'?" if near else " Write it as 'xgboost.XGBClassifier'."
