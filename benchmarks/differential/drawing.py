"""Draws from a seed, and values as people write them in YAML.

A value is kept with its text: the text goes into the spec, the value to GridSearchCV, and neither is made from the
other. Numbers are written in the ways that are usual (``0.001``, ``1e-3``), all of them numbers in YAML 1.2.
"""

from __future__ import annotations

import importlib
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

Item = TypeVar("Item")
_EXPONENT_ALONE = re.compile(r"-?\d+e-?\d+|-?\d+\.\d+e\d+")


@dataclass(frozen=True)
class Written:
    """A value, and the YAML that says it."""

    text: str
    value: Any

    @property
    def is_text_to_yaml_1_1(self) -> bool:
        """Whether an older reader takes this number for text: an exponent without a point, or without a sign."""
        return _EXPONENT_ALONE.fullmatch(self.text) is not None


@dataclass(frozen=True)
class Object:
    """An object as a value: ``{class: path, ...}``."""

    path: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Function:
    """A function as a value: ``{function: path}``."""

    path: str


@dataclass(frozen=True)
class Named:
    """Objects with names, as voting and stacking take them: ``[[name, {class: path}], ...]``."""

    members: Mapping[str, Object]


def load(path: str) -> Any:
    """Import what a dotted path names."""
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


class Draw:
    """Choices that a seed determines.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"differential {seed}")
        self.numbers = np.random.default_rng([20, seed])

    def chance(self, share: float) -> bool:
        """True in that share of draws."""
        return self._random.random() < share

    def one(self, items: Sequence[Item]) -> Item:
        """One of `items`."""
        return self._random.choice(items)

    def some(self, items: Sequence[Item], least: int, most: int) -> list[Item]:
        """Between `least` and `most` different ones of `items`, in any order."""
        most = min(most, len(items))
        return self._random.sample(items, self._random.randint(min(least, most), most))

    def written(self, value: Any) -> Written:
        """Write `value` as a person might."""
        if isinstance(value, Object):
            params = {name: self.written(item) for name, item in value.params.items()}
            text = "".join(f", {name}: {item.text}" for name, item in params.items())
            made = load(value.path)(**{name: item.value for name, item in params.items()})
            return Written(f"{{class: {value.path}{text}}}", made)
        if isinstance(value, Function):
            return Written(f"{{function: {value.path}}}", load(value.path))
        if isinstance(value, Named):
            members = {name: self.written(item) for name, item in value.members.items()}
            text = ", ".join(f"[{name}, {item.text}]" for name, item in members.items())
            return Written(f"[{text}]", [(name, item.value) for name, item in members.items()])
        if isinstance(value, tuple):
            return Written(f"{{tuple: [{', '.join(self.written(item).text for item in value)}]}}", value)
        if isinstance(value, Mapping):
            pairs = [f"{self.written(key).text}: {self.written(item).text}" for key, item in value.items()]
            return Written("{" + ", ".join(pairs) + "}", dict(value))
        return self._plain(value)

    def _plain(self, value: Any) -> Written:
        if isinstance(value, bool):
            return Written(str(value).lower(), value)
        if value is None:
            return Written(self.one(["null", "~"]), None)
        if isinstance(value, float) and np.isfinite(value):
            return Written(self.one(_forms(value)), value)
        text = str(value)
        return Written(f'"{text}"' if ":" in text else text, value)


def _forms(value: float) -> list[str]:
    mantissa, _, exponent = f"{value:e}".partition("e")
    short = mantissa.rstrip("0").rstrip(".")
    plain = np.format_float_positional(value, trim="0")
    if int(exponent) in (0, 1, 2):
        return [plain]
    pointed = short if "." in short else f"{short}.0"
    return [plain, f"{short}e{int(exponent)}", f"{short}e{int(exponent)}", f"{pointed}e{int(exponent):+d}"]
