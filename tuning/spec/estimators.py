"""From the spec's words to estimators: build the class or the steps, set one candidate's parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sklearn.pipeline import Pipeline

from errors import SpecError
from tuning.learners.unfitted import deep_params, fresh
from tuning.spec.columns import column_transformer, is_columns
from tuning.spec.mistakes import Mistakes
from tuning.spec.objects import build, build_parameter, is_path, required

_SKIPPED = ("passthrough", None)
_OF_THE_PIPELINE = ("memory", "steps", "transform_input", "verbose")


def make_estimator(written: Any, fixed: Mapping[str, Any]) -> Any:
    """Build an unfitted estimator with `fixed` set.

    Parameters
    ----------
    written : str, mapping or sequence of mapping
        An object: a class's dotted path or ``{class: path, ...}``; or the steps of a pipeline:
        ``[{scale: sklearn...}, {model: xgboost...}]``.
    fixed : mapping of str to object
        A pipeline's by ``step__name``; values as the spec has them.

    Raises
    ------
    SpecError
        A class does not exist, may not be named, or cannot be built; several mistakes are several lines.
    """
    if isinstance(written, str | Mapping):
        estimator = _object(written)
    elif written and isinstance(written, Sequence):
        estimator = Pipeline(steps_of(written))
    else:
        raise SpecError("expected a class's dotted path or a list of steps. Write - scale: sklearn...")
    return configure(estimator, fixed)


def steps_of(written: Sequence[Any]) -> list[tuple[str, Any]]:
    """Build the steps of a pipeline.

    Raises
    ------
    MistakesError
        All that is wrong, keyed by the steps' names.
    """
    mistakes = Mistakes()
    steps: list[tuple[str, Any]] = []
    for place, step in enumerate(written):
        if not (isinstance(step, Mapping) and len(step) == 1):
            mistakes.note(
                f"expected steps of the form 'name: object', one name each, got {step!r}. Write - scale: sklearn..."
            )
            continue
        [(name, value)] = step.items()
        with mistakes.at(str(name)):
            _check_name(name, [known for known, _ in steps])
            steps.append((name, _step(name, value)))
            _check_place(steps[-1][1], is_last=place == len(written) - 1)
    mistakes.raise_found()
    return steps


def configure(estimator: Any, params: Mapping[str, Any]) -> Any:
    """Set parameters of `estimator`, as the spec writes them, and return it.

    Whole steps and nested estimators are set before what is nested in them, as scikit-learn's ``set_params`` does. A
    pipeline that so gets a step that resamples rows becomes imbalanced-learn's.
    """
    defaults = estimator.get_params(deep=True) if any(map(_may_be_object, params.values())) else {}
    steps = [name for name, _ in getattr(estimator, "steps", None) or ()]
    built, mistakes = {}, Mistakes()
    for name, value in params.items():
        with mistakes.at(name):
            built[name] = build_parameter(name, value, estimator if name in steps else defaults.get(name))
    mistakes.raise_found()
    return _resampling(estimator.set_params(**built))


def for_candidate(estimator: Any, params: Mapping[str, Any], threads: int | None) -> Any:
    """Return a fresh copy of `estimator` with one candidate's parameters, held to `threads` threads unless None."""
    copy = configure(fresh(estimator), params)
    return copy if threads is None else hold_to_threads(copy, threads)


def hold_to_threads(estimator: Any, threads: int) -> Any:
    """Set what `estimator` has of ``n_jobs`` to `threads`, and return it."""
    names = _thread_parameters(estimator)
    return estimator.set_params(**dict.fromkeys(names, threads)) if names else estimator


def lacking(estimator: Any) -> Iterator[tuple[str, type]]:
    """Name the parameters, nested ones included, that have no default and have not been given, with their class."""
    for prefix, part in {"": estimator, **estimator.get_params(deep=True)}.items():
        if hasattr(part, "get_params") and not isinstance(part, type):
            for name in required(type(part)):
                if getattr(part, name, None) is None:
                    yield f"{prefix}__{name}" if prefix else name, type(part)


def _thread_parameters(estimator: Any) -> list[str]:
    """Names of the parameters, nested ones included, that must be set to hold the estimator to some threads.

    None means one thread to scikit-learn's own estimators, and some of them warn when told a number; to XGBoost and
    others it means all cores.
    """
    params = deep_params(estimator)
    names = [name for name in params if name == "n_jobs" or name.endswith("__n_jobs")]
    owners = {name: params[name.removesuffix("__n_jobs")] if "__" in name else estimator for name in names}
    return [name for name in names if params[name] is not None or not _is_of_sklearn(owners[name])]


def _is_of_sklearn(estimator: Any) -> bool:
    """Whether scikit-learn's own constructor made it; a user's subclass that adds methods alone is such a one."""
    return str(getattr(type(estimator).__init__, "__module__", "")).startswith("sklearn.")


def _object(written: Any) -> Any:
    built = build({"class": written} if isinstance(written, str) else written)
    if isinstance(built, str | Mapping | list):
        raise SpecError(
            f"expected an object, got {written!r}. Write a dotted path, or {{class: path, PARAMETER: ...}}."
        )
    if not hasattr(built, "fit"):
        raise SpecError(f"{type(built).__name__} is not an estimator (it has no fit). Name an estimator.")
    return built


def _step(name: str, value: Any) -> Any:
    if name == "columns" and isinstance(value, list):
        return column_transformer(value)
    if is_columns(value):
        return column_transformer(value["columns"])
    return value if value in _SKIPPED else _object(value)


def _check_name(name: Any, earlier: Sequence[str]) -> None:
    if not isinstance(name, str) or not name or "__" in name:
        raise SpecError(f"a step cannot be called {name!r}: text without '__' is wanted. Rename it.")
    if name in _OF_THE_PIPELINE:
        raise SpecError(f"a step cannot be called '{name}', which is a parameter of the pipeline itself. Rename it.")
    if name in earlier:
        raise SpecError(f"two steps have the name '{name}'. Rename one.")


def _check_place(step: Any, is_last: bool) -> None:
    if (
        is_last
        or step in _SKIPPED
        or any(hasattr(step, does) for does in ("transform", "fit_transform", "fit_resample"))
    ):
        return
    raise SpecError(f"{type(step).__name__} does not transform, so no step can follow it. Put it last.")


def _may_be_object(value: Any) -> bool:
    return isinstance(value, Mapping | list) or is_path(value)


def _resampling(estimator: Any) -> Any:
    if type(estimator) is not Pipeline or not any(hasattr(step, "fit_resample") for _, step in estimator.steps or ()):
        return estimator
    from imblearn.pipeline import Pipeline as ResamplingPipeline

    return ResamplingPipeline(estimator.steps, memory=estimator.memory, verbose=estimator.verbose)
