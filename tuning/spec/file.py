"""Reading a spec file, and saying what is wrong with it in the file's own words."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from errors import SpecError, did_you_mean
from tuning.spec.messages import sentence

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
        return validate(model, _read_yaml(Path(path)))


def validate(model: type[Model], content: Mapping[str, Any]) -> Model:
    """Read `content` into `model`.

    Raises
    ------
    SpecError
        One line that begins with the key.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise SpecError(sentence(error.errors()[0], model)) from error


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
