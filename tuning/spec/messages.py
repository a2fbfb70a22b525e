"""What pydantic's complaints sound like in a spec file's own words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from errors import did_you_mean
from tuning.spec.mistakes import Mistake

_OURS = "sense"


def problem(sentence: str, key: str = "") -> PydanticCustomError:
    """Make a complaint of our own for a validator to raise.

    Parameters
    ----------
    sentence : str
        What is wrong and what to do, without the full stop.
    key : str
        Where, below the place that the validator itself stands at.
    """
    end = "" if sentence.endswith(("?", ".")) else "."
    return PydanticCustomError(_OURS, "{sentence}" + end, {"sentence": sentence, "key": key})


def mistakes_of(error: ValidationError, model: type[BaseModel]) -> list[Mistake]:
    """Turn pydantic's complaints into ours, one for each place: a union complains once for each of its branches."""
    found: dict[tuple[str, ...], Mistake] = {}
    for details in error.errors():
        mistake = mistake_of(details, model)
        found.setdefault(mistake.key, mistake)
    return list(found.values())


def mistake_of(error: ErrorDetails, model: type[BaseModel]) -> Mistake:
    """Turn one of pydantic's complaints into ours.

    Parameters
    ----------
    error : ErrorDetails
    model : type of BaseModel
        The model that was validated, for the keys that it knows.
    """
    location = tuple(_keys(error["loc"]))
    if error["type"] == _OURS:
        below = error.get("ctx", {}).get("key", "")
        return Mistake((*location, *([below] if below else [])), error["msg"])
    if error["type"] == "extra_forbidden":
        return Mistake(location, f"unknown key.{_advice(location, model)}")
    if error["type"] == "missing":
        return Mistake(location, "the key is missing. Add it.")
    if error["type"] == "too_short":
        return Mistake(location, "it is empty. Give at least one entry.")
    if location[-1:] == ("[key]",):
        return Mistake(
            location[:-1], f"a key should be text, got {error['input']!r}. Write a name, or put it in quotes."
        )
    return Mistake(location, f"{_expectation(error['msg'])}, got {error['input']!r}.")


def _expectation(message: str) -> str:
    for word, plain in (("Input ", ""), ("valid ", ""), ("a string", "text"), ("a integer", "a whole number")):
        message = message.replace(word, plain)
    return message.partition(", unable")[0]


def _keys(location: Sequence[int | str]) -> list[str]:
    """Leave out what pydantic adds for its own sake: the branches of a union."""
    return [str(part) for part in location if not (isinstance(part, str) and _is_branch(part))]


def _is_branch(part: str) -> bool:
    return part in ("str", "Distribution") or part.startswith(("list[", "dict["))


def _advice(location: Sequence[str], model: type[BaseModel]) -> str:
    """Name the nearest key that stands at that place, else all of them."""
    known = _fields_at(location[:-1], model)
    return did_you_mean(location[-1], known) or (f" Known keys here: {', '.join(known)}." if known else "")


def _fields_at(location: Sequence[str], model: Any) -> list[str]:
    for part in location:
        field = getattr(model, "model_fields", {}).get(part)
        model = _model_in(field.annotation) if field else _model_in(model)
    return list(getattr(model, "model_fields", {}))


def _model_in(annotation: Any) -> Any:
    """Find the model in ``Model | None`` or ``dict[str, Model | list]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(part) for part in getattr(annotation, "__args__", ()))
    return next((model for model in found if model is not None), None)
