"""Reading YAML, for whoever has a file that a person writes: specs, gates, environments.

PyYAML reads scalars as YAML 1.1 did: ``1e-3`` is text, ``no`` is false, ``12:30`` is 750 and ``0777`` is 511. We keep
its parser and give it the rules of YAML 1.2's core schema (chapter 10.3). We do not use ruamel.yaml: it would be a
second YAML library beside the one that MLflow brings, and as it still reads dates, the rules would be ours anyway.

One thing of 1.1 stays, merge keys (``<<: *anchor``), since a person who writes one can mean nothing else.

What comes out is numbers, text, truth values, null, lists and mappings, and no more of them than can be handled: an
alias counts as often as it is used, or a file of ten lines could stand for a billion values.
"""

from __future__ import annotations

import math
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

_DEEPEST = 40
_MOST_BYTES = 2**20
_MOST_VALUES = 200_000
_MOST_DIGITS = 100

_TAG = "tag:yaml.org,2002:"
_RULES = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    "float": (
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        list("-+0123456789."),
    ),
    "merge": (r"<<", ["<"]),
}


class YamlError(ValueError):
    """The text is not YAML, or more than we take; ``str()`` of it is the end of a line for a person."""


def read(text: str) -> Any:
    """Read one YAML document.

    Parameters
    ----------
    text : str

    Returns
    -------
    object
        None where the text is empty.

    Raises
    ------
    YamlError
        One sentence, with the line where it is known, and what to do.
    """
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise YamlError(_sentence(error)) from error


def load(path: Path) -> Any:
    """Read a file of one YAML document, as `read` does.

    Parameters
    ----------
    path : Path
        A regular file: a pipe or a device would be waited for without end.

    Raises
    ------
    YamlError
        As `read`, or it is no text file, or larger than what a person writes.
    OSError
        It is not there, or may not be read.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        raise YamlError(f"this is {'a folder' if stat.S_ISDIR(mode) else 'a pipe, a socket or a device'}. Name a file.")
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise YamlError(f"the file is larger than {_MOST_BYTES / 2**20:.0f} MiB, which no file of YAML here needs.")
    try:
        return read(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise YamlError("the file is not UTF-8 text. Save it as UTF-8.") from error


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 (PyYAML's own shape)
    yaml_constructors: dict[str | None, Any] = {}  # type: ignore[misc]  # noqa: RUF012

    def get_single_node(self) -> yaml.Node | None:
        root = super().get_single_node()
        if root is not None:
            _count(root, {})
        return root

    def compose_node(self, parent: Any, index: Any) -> yaml.Node | None:
        self.depth = getattr(self, "depth", 0) + 1
        self.nodes = getattr(self, "nodes", 0) + 1
        if self.nodes > _MOST_VALUES:  # seen here already: a list of empty lists is large before it is counted
            raise _mistake(f"more than {_MOST_VALUES:,} values", self.peek_event())  # type: ignore[no-untyped-call]
        if self.depth > _DEEPEST:
            here = self.peek_event()  # type: ignore[no-untyped-call]
            raise _mistake(f"more than {_DEEPEST} levels, one inside the other", here)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """PyYAML keeps the last of two equal keys without a word; half of a grid would vanish that way."""
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        seen = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _mistake("a list or a mapping cannot be a key", key_node)
            if key_node.tag == _TAG + "merge":
                continue
            key = self.construct_object(key_node)
            if key in seen:
                raise _mistake(f"the key '{key}' stands twice", key_node)
            seen.add(key)
        return node

    def whole_number(self, node: yaml.ScalarNode) -> int:
        text = str(self.construct_scalar(node))
        if len(text) > _MOST_DIGITS:
            raise _mistake(f"a number of {len(text):,} digits", node)
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))

    def real_number(self, node: yaml.ScalarNode) -> float:
        text = str(self.construct_scalar(node)).lower()
        value = float(text.replace(".inf", "inf").replace(".nan", "nan"))
        if math.isinf(value) and "inf" not in text:
            raise _mistake(f"{text[:20]} is larger than any number can be; .inf is infinity", node)
        return value

    def truth(self, node: yaml.ScalarNode) -> bool:
        return {"true": True, "false": False}[str(self.construct_scalar(node)).lower()]

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, KeyError) as error:  # an explicit tag, such as !!int, on something else
            raise _mistake(f"'{node.value}' is not what its tag says", node) from error


for _name, (_pattern, _first) in _RULES.items():
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(rf"^(?:{_pattern})$"), _first)
for _name, _method in {
    "null": yaml.SafeLoader.construct_yaml_null,
    "bool": _Loader.truth,
    "int": _Loader.whole_number,
    "float": _Loader.real_number,
    "str": yaml.SafeLoader.construct_yaml_str,
    "seq": yaml.SafeLoader.construct_yaml_seq,
    "map": yaml.SafeLoader.construct_yaml_map,
}.items():
    _Loader.add_constructor(_TAG + _name, _method)
_Loader.add_constructor(None, yaml.SafeLoader.construct_undefined)  # type: ignore[type-var]


def _count(node: yaml.Node, known: dict[int, int]) -> int:
    """Count the values below `node`, aliases as often as they are used."""
    if id(node) in known:
        if known[id(node)] == 0:
            raise _mistake("an alias stands inside of what it names", node)
        return known[id(node)]
    known[id(node)] = 0
    below = [part for pair in node.value for part in (pair if isinstance(pair, tuple) else (pair,))]
    total = 1 + (0 if isinstance(node, yaml.ScalarNode) else sum(_count(part, known) for part in below))
    if total > _MOST_VALUES:
        raise _mistake(f"more than {_MOST_VALUES:,} values, aliases counted as often as they are used", node)
    known[id(node)] = total
    return total


def _mistake(what: str, where: Any) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(problem=what, problem_mark=where.start_mark)


def _sentence(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}: " if mark else ""
    said = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "not valid YAML")
    if said.startswith("but "):  # the first half of the sentence stands elsewhere
        said = f"{getattr(error, 'context', '')}, {said}"
    return f"{where}{' '.join(said.split())}. Mend the YAML there."


def kind(content: Any) -> str:
    """Say what a document is where another was expected."""
    if content is None:
        return "an empty file"
    if isinstance(content, Mapping):
        return "a mapping"
    return "a list" if isinstance(content, list) else "text" if isinstance(content, str) else f"'{content}'"
