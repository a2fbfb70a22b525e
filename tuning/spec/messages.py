"""What pydantic's complaints sound like in a spec file's own words."""

from __future__ import annotations

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from errors import OWN_WORDS, complaints
from tuning.spec.mistakes import Mistake


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
    return PydanticCustomError(OWN_WORDS, "{sentence}" + end, {"sentence": sentence, "key": key})


def mistakes_of(error: ValidationError, model: type[BaseModel]) -> list[Mistake]:
    """Turn pydantic's complaints into ours, one for each place."""
    return [Mistake(place, sentence) for place, sentence in complaints(error.errors(), model).items()]
