"""Parameters: which ones an estimator knows, nested ones included, and whether a spec's are among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sklearn.base import clone

from errors import SpecError, did_you_mean
from tuning.learners import learner_for
from tuning.spec.estimators import configure, lacking
from tuning.spec.mistakes import Mistakes
from tuning.spec.objects import OBJECT_PARAMETERS, build_parameter, check_value, needs

Key = tuple[str, ...]
Choices = Mapping[str, Sequence[Any]]


def known_parameters(estimator: Any) -> set[str]:
    """Names that ``set_params`` of `estimator` takes, nested ones with their prefix.

    Parameters
    ----------
    estimator : object
        Unfitted; what is nested in it must be set already, since only then are its parameters known.
    """
    nested = {"": estimator, **estimator.get_params(deep=True)}
    names = {name for name in nested if name}
    for prefix, part in nested.items():
        if hasattr(part, "get_params") and not isinstance(part, type):
            names |= {_join(prefix, name) for name in _beyond_get_params(part)}
    return names


def _beyond_get_params(estimator: Any) -> set[str]:
    """What a library takes but does not list."""
    return set(learner_for(estimator).extra_parameters(estimator))


def grids_of(grid: Choices | Sequence[Choices]) -> list[tuple[Key, Choices]]:
    """The mappings of a grid, each with its key in the file."""
    if isinstance(grid, Mapping):
        return [(("grid",), grid)]
    return [(("grid", str(place)), each) for place, each in enumerate(grid)]


def check_fixed(estimator: Any, fixed: Mapping[str, Any], mistakes: Mistakes) -> Any:
    """Set those of `fixed` that are right, and note the others.

    Returns
    -------
    object
        `estimator`, or the pipeline that it has become.
    """
    for name in sorted(fixed, key=_depth):
        with mistakes.at("fixed", name):
            _check_name(estimator, name, known_parameters(estimator))
            estimator = configure(estimator, {name: fixed[name]})
            _check_set(estimator, name)
            _check_refusal(estimator, name, [fixed[name]])
    return estimator


def check_choices(estimator: Any, choices: Choices, key: Key, mistakes: Mistakes) -> None:
    """Note what is wrong with the values that one mapping of parameters to lists gives a choice of.

    A parameter of something that is itself chosen must be known to at least one of the choices; a candidate that puts
    it together with another fails in its own fits, as in GridSearchCV.

    Parameters
    ----------
    estimator : object
        With everything set that is fixed.
    choices : mapping of str to sequence
    key : tuple of str
        Where `choices` stand in the file.
    mistakes : Mistakes
    """
    defaults, known = estimator.get_params(deep=True), known_parameters(estimator)
    chosen: list[str] = []
    for name in sorted(choices, key=_depth):
        with mistakes.at(*key, name):
            _check_name(estimator, name, known)
            fresh = any(name.startswith(f"{whole}__") for whole in chosen)
            built = list(_built(estimator, name, choices[name], None if fresh else defaults))
            if not fresh:
                _check_refusal(estimator, name, choices[name])
            parts = [part for part in built if hasattr(part, "get_params") and not isinstance(part, type)]
            if parts:
                chosen.append(name)
                known = {each for each in known if not each.startswith(f"{name}__")}
                known |= {_join(name, inner) for part in parts for inner in known_parameters(part)}


def check_given(estimator: Any, given: Iterable[str], mistakes: Mistakes) -> None:
    """Note the parameters that an estimator cannot do without and nothing gives."""
    for name, kind in lacking(estimator):
        if name not in given:
            *outer, last = name.split("__")
            mistakes.note(needs(kind, last), "estimator", *outer)


def check_twice(sections: Iterable[tuple[Key, Mapping[str, Any]]], mistakes: Mistakes) -> None:
    """Note a parameter that stands in two places; the mappings of a list of grids are alternatives."""
    seen: dict[str, str] = {}
    for key, params in sections:
        for name in params:
            if seen.setdefault(name, key[0]) != key[0]:
                mistakes.note(f"'{name}' also stands under {seen[name]}. Remove one of the two.", *key, name)


def check_synonyms(estimator: Any, sections: Iterable[tuple[Key, Mapping[str, Any]]], mistakes: Mistakes) -> None:
    """Note two names of one parameter, of which the library would take either."""
    given = {name: key for key, params in sections for name in params}
    for group in learner_for(estimator).synonyms(estimator):
        names = [name for name in given if name in group]
        if len(names) > 1:
            mistakes.note(f"'{names[0]}' is the same parameter. Remove one of the two.", *given[names[1]], names[1])


def example(estimator: Any, choices: Choices) -> Any:
    """Build one of the candidates; None where just this combination cannot be."""
    try:
        return configure(clone(estimator), {name: values[0] for name, values in choices.items()})
    except Exception:  # whatever a library raises: it is one candidate's affair
        return None


def _built(estimator: Any, name: str, values: Sequence[Any], defaults: Mapping[str, Any] | None) -> Iterator[Any]:
    """Build each value; `defaults` is None where the parameter belongs to something that is itself chosen."""
    mistakes = Mistakes()
    steps = dict(getattr(estimator, "steps", None) or ())
    owner = None if defaults is None else _owner(estimator, name, defaults)
    for place, value in enumerate(values):
        with mistakes.at() if len(values) == 1 else mistakes.at(str(place)):
            default = estimator if name in steps else (defaults or {}).get(name)
            part = build_parameter(name, value, default)
            if isinstance(part, str) and name in steps and part not in ("passthrough", "drop"):
                raise SpecError(f"expected an object or passthrough, got '{value}'. Write a dotted path.")
            if owner is not None:
                check_value(type(owner), name.rpartition("__")[2], part)
            yield part
    mistakes.raise_found()


def _check_name(estimator: Any, name: str, known: Iterable[str]) -> None:
    if name in known:
        return
    said = f"{type(estimator).__name__} has no parameter '{name}'."
    outer = name.rpartition("__")[0]
    if outer in known and estimator.get_params(deep=True).get(outer, outer) is None:
        last = outer.rpartition("__")[2]
        what = "{class: sklearn..., ...}" if last in OBJECT_PARAMETERS else "an object"
        raise SpecError(f"{said} Its '{outer}' is not set: give it {what}, under estimator or fixed.")
    raise SpecError(f"{said}{did_you_mean(name, known)}")


def _check_refusal(estimator: Any, name: str, values: Iterable[Any]) -> None:
    for value in values:
        refusal = learner_for(estimator).refusal(estimator, name, value)
        if refusal is not None:
            raise SpecError(f"{refusal}.")


def _check_set(estimator: Any, name: str) -> None:
    params = estimator.get_params(deep=True)
    owner = _owner(estimator, name, params)
    if owner is not None and name in params:
        check_value(type(owner), name.rpartition("__")[2], params[name])


def _owner(estimator: Any, name: str, params: Mapping[str, Any]) -> Any:
    outer = name.rpartition("__")[0]
    return params.get(outer) if outer else estimator


def _depth(name: str) -> int:
    return name.count("__")


def _join(prefix: str, name: str) -> str:
    return f"{prefix}__{name}" if prefix else name
