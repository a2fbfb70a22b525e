"""Reading a spec file, and saying what is wrong with it in the file's own words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

import yaml12
from errors import SourceError, SpecError, did_you_mean
from tuning.spec.messages import mistakes_of
from tuning.spec.mistakes import MistakesError

Model = TypeVar("Model", bound=BaseModel)


@contextmanager
def named(path: str | Path) -> Iterator[None]:
    """Put the file's name before each line that a check says."""
    try:
        yield
    except SpecError as error:
        raise SpecError("\n".join(f"{path}: {line}" for line in str(error).splitlines())) from error


@contextmanager
def named_at_its_keys(path: str | Path, model: type[BaseModel], *others: str) -> Iterator[None]:
    """Put the file's name before what is said of a key of `model` that only the rows could show to be wrong.

    `others` are files that may be called as a key is: what is said of them begins with their own names.
    """
    try:
        yield
    except (SpecError, SourceError) as error:
        of_another = str(error).startswith(tuple(filter(None, others)))
        if not of_another and re.split(r"[.:\[]", str(error), maxsplit=1)[0] in model.model_fields:
            raise SpecError(f"{path}: {error}") from error
        raise


def parse(model: type[Model], path: str | Path) -> Model:
    """Read `path` into `model`.

    Raises
    ------
    SpecError
        The file is missing, is not YAML, or has the wrong keys or types.
    """
    with named(path):
        return validate(model, _read_yaml(Path(path)))


def validate(model: type[Model], content: Mapping[str, Any]) -> Model:
    """Read `content` into `model`.

    Raises
    ------
    SpecError
        A line for each mistake, which begins with the key.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise MistakesError(mistakes_of(error, model)) from error


def _read_yaml(path: Path) -> Mapping[str, Any]:
    try:
        content = yaml12.load(path)
    except FileNotFoundError:
        here = [p.as_posix() for p in path.parent.glob("*.yaml") if p.exists()]
        raise SpecError(f"no such file.{did_you_mean(path.as_posix(), here)}") from None
    except yaml12.YamlError as error:
        raise SpecError(str(error)) from error
    except (OSError, ValueError) as error:  # the latter where no file can have the name
        raise SpecError(f"the file cannot be read ({getattr(error, 'strerror', None) or error}).") from error
    if not isinstance(content, Mapping):
        raise SpecError(f"expected a mapping of keys such as 'estimator' and 'grid', got {yaml12.kind(content)}.")
    return content
