"""Candidates: settings of the parameters, each with a key that names it everywhere and for good."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any


@dataclass(frozen=True, eq=False)
class Candidate:
    """One setting of the parameters.

    Attributes
    ----------
    params : mapping of str to object
        What differs from the spec's ``fixed``; values are what YAML can say.
    """

    params: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def key(self) -> str:
        """Twelve hex digits, the same for the same parameters whatever their order or the machine."""
        canonical = json.dumps(self.params, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    @cached_property
    def name(self) -> str:
        """What a person reads: ``max_depth=3 n_estimators=300``."""
        return " ".join(f"{name}={value}" for name, value in sorted(self.params.items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Candidate) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)
