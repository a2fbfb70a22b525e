"""Reading a spec file, and saying what is wrong with it in the file's own words."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from errors import SpecError, did_you_mean

Model = TypeVar("Model", bound=BaseModel)


class _UniqueKeyLoader(yaml.SafeLoader):
    """PyYAML keeps the last of two equal keys without a word; half of a grid would vanish that way."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"the key '{key}' stands twice", problem_mark=key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


@contextmanager
def named(path: str | Path) -> Iterator[None]:
    """Put the file's name before whatever a check says."""
    try:
        yield
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from error


def parse(model: type[Model], path: str | Path) -> Model:
    """Read `path` into `model`.

    Raises
    ------
    SpecError
        The file is missing, is not YAML, or has the wrong keys or types.
    """
    with named(path):
        content = _read_yaml(Path(path))
        try:
            return model.model_validate(content)
        except ValidationError as error:
            raise SpecError(_sentence(error.errors()[0], model)) from error


def check_grid_values(grid: Mapping[Any, Any]) -> None:
    """Refuse a grid entry that is no list, an empty one, or one that names a value twice."""
    for name, values in grid.items():
        if not isinstance(values, list):
            raise _problem(f"grid.{name}", f"expected a list of values, got {values!r}. Write [{values}]")
        if not values:
            raise _problem(f"grid.{name}", "the list is empty. Give at least one value, or remove the key")
        texts = [_json(f"grid.{name}", value) for value in values]
        for place, text in enumerate(texts):
            if text in texts[:place]:
                raise _problem(f"grid.{name}", f"the value {text} stands twice. Remove one")


def _json(key: str, value: Any) -> str:
    try:
        return json.dumps(value, sort_keys=True)
    except TypeError:
        kind = type(value).__name__
        raise _problem(key, f"{value} is a {kind}; expected numbers, text, booleans, lists or null") from None


def _problem(key: str, sentence: str) -> PydanticCustomError:
    return PydanticCustomError("grid", "{key}: {sentence}.", {"key": key, "sentence": sentence})


def _read_yaml(path: Path) -> Mapping[str, Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)
    except FileNotFoundError:
        here = [p.as_posix() for p in path.parent.glob("*.yaml")]
        raise SpecError(f"no such file.{did_you_mean(path.as_posix(), here)}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"the file cannot be read: {error}.") from error
    except yaml.YAMLError as error:
        raise SpecError(_yaml_sentence(error)) from error
    if not isinstance(content, Mapping):
        raise SpecError("expected a mapping of keys such as 'estimator' and 'grid', got " + _kind(content) + ".")
    return content


def _yaml_sentence(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}: " if mark else ""
    return f"{where}{getattr(error, 'problem', None) or 'not valid YAML'}. Mend the YAML there."


def _kind(content: Any) -> str:
    return "an empty file" if content is None else f"a {type(content).__name__}"


def _sentence(error: ErrorDetails, model: type[BaseModel]) -> str:
    """Turn pydantic's first complaint into one line that names the key."""
    if error["type"] == "grid":
        return error["msg"]
    location = [str(part) for part in error["loc"] if part not in ("str", "list[str]")]
    key = ".".join(location)
    if error["type"] == "extra_forbidden":
        return f"{key}: unknown key.{_advice(location, model)}"
    if error["type"] == "missing":
        return f"{key}: the key is missing. Add it."
    if error["type"] == "too_short":
        return f"{key}: it is empty. Give at least one entry."
    message = error["msg"].removeprefix("Input ").replace("valid string", "text").replace("valid ", "")
    return f"{key}: {message}, got {error['input']!r}."


def _advice(location: list[str], model: type[BaseModel]) -> str:
    """Name the nearest key that stands at that place, else all of them."""
    known = _fields_at(location[:-1], model)
    return did_you_mean(location[-1], known) or f" Known keys here: {', '.join(known)}."


def _fields_at(location: list[str], model: type[BaseModel]) -> list[str]:
    for part in location:
        model = model.model_fields[part].annotation  # type: ignore[assignment]
    return list(model.model_fields)
