"""Objects as values: from ``{class: dotted.path, PARAMETER: value, ...}`` to what ``set_params`` takes.

A value keeps the form in which it was written until an estimator is about to be fitted, so that it can be hashed,
recorded and read again; ``build`` makes a new object each time, as ``GridSearchCV`` clones each candidate's.

``{class: ...}`` is an object only where the value is text: in ``class_weight: {class: 3, other: 1}`` it is a label.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from typing import Any

from errors import SpecError, did_you_mean
from tuning.spec.allowed import class_named, function_named
from tuning.spec.mistakes import Mistakes

OBJECT_PARAMETERS = frozenset(
    {"base_estimator", "classifier", "cv", "estimator", "final_estimator", "init", "k1", "k2", "kernel"}
    | {"regressor", "remainder", "transformer"}
)
"""Parameters in which a bare dotted path stands for an object, whatever their default is."""

COMPOSITIONS = frozenset({"estimators", "steps", "transformer_list", "transformers"})
"""Parameters that take a list of ``[name, object, ...]``, which scikit-learn wants as tuples."""

try:  # not public; without it a value that does not suit fails its fits, as in GridSearchCV
    from sklearn.utils._param_validation import validate_parameter_constraints
except ImportError:  # pragma: no cover
    validate_parameter_constraints = None

_LONGEST = 40


def is_object(value: Any) -> bool:
    """Whether `value` is written as ``{class: dotted.path, ...}``."""
    return isinstance(value, Mapping) and isinstance(value.get("class"), str)


def is_function(value: Any) -> bool:
    """Whether `value` is written as ``{function: dotted.path}``."""
    return isinstance(value, Mapping) and isinstance(value.get("function"), str) and len(value) == 1


def is_tuple(value: Any) -> bool:
    """Whether `value` is written as ``{tuple: [...]}``."""
    return isinstance(value, Mapping) and isinstance(value.get("tuple"), list) and len(value) == 1


def is_path(value: Any) -> bool:
    """Whether `value` is text that can be a dotted path."""
    return isinstance(value, str) and "." in value and all(part.isidentifier() for part in value.split("."))


def build(value: Any, expected: bool = False) -> Any:
    """Make what a value stands for.

    Parameters
    ----------
    value : object
        As YAML has it.
    expected : bool
        Whether an object is expected there, so that a bare dotted path is one.

    Returns
    -------
    object
        New at every call, as far as it is written as an object, a tuple, a list or a mapping.

    Raises
    ------
    MistakesError
        All that is wrong in it, the keys counted from `value`.
    """
    if is_object(value):
        return _build_object(value["class"], {name: part for name, part in value.items() if name != "class"})
    if expected and is_path(value):
        return _build_object(value, {})
    if is_function(value):
        return function_named(value["function"])
    if is_tuple(value):
        return tuple(build(value["tuple"]))
    if isinstance(value, Mapping):
        return _build_all({name: (str(name), part, False) for name, part in value.items()})
    if isinstance(value, list):
        parts = {place: (str(place), part, False) for place, part in enumerate(value)}
        return list(_build_all(parts).values())
    return value


def build_parameter(name: str, value: Any, default: Any = None) -> Any:
    """Make what `value` stands for as the parameter `name`.

    Parameters
    ----------
    name : str
        May be nested: ``model__estimator``.
    value : object
    default : object
        What the parameter is now; where that is an estimator, an object is expected.
    """
    last = name.rpartition("__")[2]
    if last in COMPOSITIONS and isinstance(value, list):
        return _composition(value)
    return build(value, expected=last in OBJECT_PARAMETERS or hasattr(default, "get_params"))


def required(kind: type) -> list[str]:
    """Names of the parameters that objects of `kind` cannot be built without."""
    return [name for name, known in _signature(kind).items() if known.default is inspect.Parameter.empty]


def needs(kind: type, name: str) -> str:
    """Say that objects of `kind` cannot be built without the parameter `name`."""
    how = f"{{class: {kind.__module__.partition('._')[0]}.{kind.__name__}, {name}: ...}}"
    if kind.__name__ == "ColumnTransformer":
        how = "the step as columns: [{columns: [a, b], do: sklearn.preprocessing.StandardScaler}]"
    return f"{kind.__name__} cannot be built without '{name}', which has no default. Write {how}."


def check_value(kind: type, name: str, value: Any) -> None:
    """Refuse what scikit-learn's own classes would refuse in every fit.

    Raises
    ------
    SpecError
        In scikit-learn's words, with how to write a tuple or a function where one is wanted.
    """
    constraints = getattr(kind, "_parameter_constraints", {}).get(name)
    if validate_parameter_constraints is None or not isinstance(constraints, list) or not _is_of_sklearn(kind):
        return
    try:
        validate_parameter_constraints({name: constraints}, {name: value}, caller_name=kind.__name__)
    except ValueError as error:
        said = " ".join(str(error).split()).rstrip(".")
        raise SpecError(f"{said}.{_other_spelling(value, constraints)}") from error


def _other_spelling(value: Any, constraints: list[Any]) -> str:
    if isinstance(value, list) and any(wanted is tuple for wanted in constraints):
        return f" Write {{tuple: {value}}}."
    if isinstance(value, str) and callable in constraints:
        return " Write {function: sklearn.feature_selection.chi2}, a dotted path."
    return " Change the value."


def _is_of_sklearn(kind: type) -> bool:
    return kind.__module__.startswith("sklearn.")


def describe(value: Any) -> str:
    """Say in a few words what a value is: ``LogisticRegression(C=1)``; plain values as Python says them."""
    words = _words(value)
    if words == str(value) or len(words) <= _LONGEST:
        return words
    return words[: _LONGEST - 1] + "…"


def _words(value: Any) -> str:
    if is_object(value):
        inside = ", ".join(f"{name}={_words(part)}" for name, part in value.items() if name != "class")
        name = value["class"].rpartition(".")[2]
        return f"{name}({inside})" if inside else name
    if is_function(value):
        return str(value["function"].rpartition(".")[2])
    if is_tuple(value):
        return f"({', '.join(map(_words, value['tuple']))})"
    if isinstance(value, list) and any(isinstance(part, Mapping | list) for part in value):
        return f"[{', '.join(map(_words, value))}]"
    if is_path(value) and value.rpartition(".")[2][0].isupper():
        return str(value.rpartition(".")[2])
    return str(value)


def _build_object(path: str, written: Mapping[Any, Any]) -> Any:
    kind = class_named(path)
    known, mistakes = _signature(kind), Mistakes()
    names = accepted(kind)
    given = {}
    for name, value in written.items():
        if names is not None and name not in names:
            mistakes.note(f"{kind.__name__} has no parameter '{name}'.{did_you_mean(str(name), names)}", str(name))
            continue
        with mistakes.at(str(name)):
            given[name] = build_parameter(str(name), value, known[name].default if name in known else None)
            check_value(kind, str(name), given[name])
    mistakes.raise_found()
    lacking = {name: None for name in required(kind) if name not in given}
    if lacking and not hasattr(kind, "fit"):  # of an estimator `fixed` and `grid` may give it; checks.py sees to that
        raise SpecError(needs(kind, next(iter(lacking))))
    try:
        return kind(**lacking, **given)
    except Exception as error:  # whatever a constructor raises
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise SpecError(f"{path} cannot be built ({said}). Change its parameters.") from error


def accepted(kind: type) -> Collection[str] | None:
    """Names of the parameters that the constructor of `kind` takes; None where it takes any."""
    from tuning.spec.parameters import known_parameters

    takes_any = any(known.kind is inspect.Parameter.VAR_KEYWORD for known in _all_parameters(kind))
    if not takes_any:
        return list(_signature(kind))
    try:
        return known_parameters(kind(**dict.fromkeys(required(kind))))
    except Exception:  # it says so itself when it is built
        return None


def _signature(kind: type) -> dict[str, inspect.Parameter]:
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {known.name: known for known in _all_parameters(kind) if known.kind in named}


def _all_parameters(kind: type) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(kind).parameters.values())
    except (TypeError, ValueError):
        return []


def _build_all(parts: Mapping[Any, tuple[str, Any, bool]]) -> dict[Any, Any]:
    mistakes, built = Mistakes(), {}
    for name, (key, value, expected) in parts.items():
        with mistakes.at(key):
            built[name] = build(value, expected)
    mistakes.raise_found()
    return built


def _composition(value: list[Any]) -> list[Any]:
    mistakes, built = Mistakes(), []
    for place, entry in enumerate(value):
        if not (isinstance(entry, list) and len(entry) >= 2 and isinstance(entry[0], str)):
            mistakes.note(f"expected [name, object], got {entry!r}. Write [a_name, {{class: ...}}].", str(place))
            continue
        with mistakes.at(str(place)):
            built.append((entry[0], build(entry[1], expected=True), *build(entry[2:])))
    mistakes.raise_found()
    return built
