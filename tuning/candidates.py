"""Candidates: settings of the parameters, each with a key that names it everywhere and for good."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tuning.spec.objects import describe

_PAIRS = "\0pairs"


def as_json(value: Any) -> str:
    """Write a value that YAML can say, so that equal values have equal texts and ``from_json`` gives it back.

    JSON's keys are text alone; a mapping with other keys (``{1: 20}``: weights by class) is written as its pairs.
    """
    return json.dumps(_with_text_keys(value), sort_keys=True, separators=(",", ":"))


def from_json(text: str) -> Any:
    """Read what ``as_json`` wrote."""
    return json.loads(text, object_hook=_from_pairs)


def _with_text_keys(value: Any) -> Any:
    if isinstance(value, Mapping):
        pairs = [(key, _with_text_keys(part)) for key, part in value.items()]
        if all(isinstance(key, str) for key in value):
            return dict(pairs)
        return {_PAIRS: sorted(pairs, key=lambda pair: json.dumps(pair[0]))}
    return [_with_text_keys(part) for part in value] if isinstance(value, list | tuple) else value


def _from_pairs(read: dict[str, Any]) -> dict[Any, Any]:
    return dict(read[_PAIRS]) if list(read) == [_PAIRS] else read


@dataclass(frozen=True, eq=False)
class Candidate:
    """One setting of the parameters.

    Attributes
    ----------
    params : mapping of str to object
        What differs from the spec's ``fixed``; values as the spec writes them (``tuning.spec.objects`` builds them).
    label : str
        The short name that a sweep has given it (``tuning.naming``); no part of what it is.
    """

    params: Mapping[str, Any] = field(default_factory=dict)
    label: str = field(default="", kw_only=True)

    @cached_property
    def key(self) -> str:
        """Twelve hex digits, the same for the same parameters whatever their order or the machine."""
        canonical = as_json(self.params)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    @cached_property
    def name(self) -> str:
        """What a person reads: ``#3 max_depth=3``, or all parameters where no sweep has given a name."""
        return self.label or " ".join(f"{name}={describe(value)}" for name, value in sorted(self.params.items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Candidate) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)
