"""The one exception family: everything that a person can put right.

Rooms raise these with the whole sentence (what is wrong, where, what to do); the entry points catch them once, print
the sentence as one line and write it to the run. Anything else that escapes is a defect of ours and is shown as one.

Of a file's keys pydantic complains; ``complaints`` says in the same way for all files what it means.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

OWN_WORDS = "own_words"
"""The type of a complaint of pydantic's that is a sentence already; ``key`` in its context may say where, further."""


class GridfoldError(Exception):
    """A failure that the person who typed the command can mend; ``str()`` of it is the one line they read."""


class SpecError(GridfoldError):
    """The sweep that was asked for makes no sense; nothing has been computed yet."""


class SourceError(GridfoldError):
    """The data cannot be had, or is not what the schema says."""


class CacheError(GridfoldError):
    """The cache folder cannot be written to."""


class FitError(GridfoldError):
    """Every candidate failed, so there is nothing to choose from."""


class EngineError(GridfoldError):
    """The workers that were to run the fits are lost or cannot be had."""


class TrackingError(GridfoldError):
    """The tracking store or the model registry refused."""


class StoreAwayError(TrackingError):
    """The tracking store has been away for longer than it is waited for."""


class KeptForLaterError(StoreAwayError):
    """What was to be recorded is kept on disk, and will be as soon as the store is back."""


class UnfinishedError(GridfoldError):
    """The sweep has its result, and something that is made of it afterwards is missing."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the nearest of `known`, or an empty string when none is near."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean '{near[0]}'?" if near else ""


def complaints(problems: Iterable[Mapping[str, Any]], model: type) -> dict[tuple[str, ...], str]:
    """Say in a person's words what pydantic complains of.

    Parameters
    ----------
    problems : iterable of mapping
        ``ValidationError.errors()``.
    model : type
        The pydantic model that was validated: for the keys that it knows, and for what it says of them.

    Returns
    -------
    dict of tuple of str to str
        A sentence for each place, in order: a union complains once for each of its branches.
    """
    found: dict[tuple[str, ...], str] = {}
    for problem in problems:
        place, sentence = _complaint(problem, model)
        found.setdefault(place, sentence)
    return found


def first_complaint(problems: Iterable[Mapping[str, Any]], model: type) -> str:
    """Return the first of ``complaints`` with its place before it."""
    place, sentence = next(iter(complaints(problems, model).items()))
    return f"{'.'.join(place)}: {sentence}" if place else sentence


def _complaint(problem: Mapping[str, Any], model: type) -> tuple[tuple[str, ...], str]:
    place = tuple(str(part) for part in problem["loc"] if not _is_branch(part))
    said = _description(place, model)
    if problem["type"] == OWN_WORDS:
        below = problem["ctx"]["key"]
        return (*place, *([below] if below else [])), problem["msg"]
    match problem["type"]:
        case "extra_forbidden":
            return place, f"unknown key.{_advice(place, model)}"
        case "missing":
            return place, f"the key is missing{f': {said}' if said else '. Add it.'}"
        case "value_error":
            return place, f"{str(problem['ctx']['error']).rstrip('.')}."
        case "too_short" if not said:
            return place, "it is empty. Give at least one entry."
        case _ if place[-1:] == ("[key]",) or problem["type"] == "invalid_key":
            place = place[:-1] if place[-1:] == ("[key]",) else place
            return place, f"a key should be text, got {problem['input']!r}. Write a name, or put it in quotes."
        case _ if said:
            return place, f"{problem['input']!r} will not do. {said}"
        case _:
            return place, f"{_expectation(problem['msg'])}, got {problem['input']!r}."


def _is_branch(part: object) -> bool:
    """Whether pydantic adds this to a place for its own sake: it names the branches of a union."""
    names = ("str", "int", "constrained-int", "Distribution")
    return isinstance(part, str) and (part in names or part.startswith(("list[", "dict[", "literal[")))


def _expectation(message: str) -> str:
    for word, plain in (("Input ", ""), ("valid ", ""), ("a string", "text"), ("a integer", "a whole number")):
        message = message.replace(word, plain)
    return message.partition(", unable")[0]


def _advice(place: Sequence[str], model: Any) -> str:
    """Name the nearest key that stands at that place, else all of them."""
    for part in place[:-1]:
        field = getattr(model, "model_fields", {}).get(part)
        model = _model_in(field.annotation if field else model)
    known = list(getattr(model, "model_fields", {}))
    return did_you_mean(place[-1], known) or (f" Known keys here: {', '.join(known)}." if known else "")


def _description(place: Sequence[str], model: Any) -> str:
    """Return what the model says of a key, or of the nearest one above it."""
    described = ""
    for part in place:
        field = getattr(model, "model_fields", {}).get(part)
        if field is None:
            break
        described = " ".join((field.description or "").split())
        model = _model_in(field.annotation)
    return described


def _model_in(annotation: Any) -> Any:
    """Find the model in ``Model | None`` or ``dict[str, Model | list]``."""
    if hasattr(annotation, "model_fields"):
        return annotation
    found = (_model_in(part) for part in getattr(annotation, "__args__", ()))
    return next((model for model in found if model is not None), None)
