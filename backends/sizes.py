"""Sizes of memory, as people write them in a backend's file and as its service takes them.

Docker, Java and Spark mean powers of 1024 by k, m, g and t, with or without a b behind, and so does whoever writes
``8g`` here. pydantic's ByteSize, which reads them, takes ``8g`` and ``8gb`` for powers of 1000, so it is told in full.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, ByteSize, Field
from pydantic_core import PydanticCustomError

MIB = 2**20
_WRITTEN = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt])i?b?", re.IGNORECASE)


def _in_full(given: object) -> str:
    """Return ``8gib`` for ``8g``; what has no unit is refused, since Docker and Java take it for different things."""
    match = _WRITTEN.fullmatch(given.strip()) if isinstance(given, str) else None
    if match is None:
        raise PydanticCustomError("byte_size", "expected a number with a unit, such as 8g")
    return f"{match[1]}{match[2]}ib"


Size = Annotated[
    ByteSize,
    BeforeValidator(_in_full, json_schema_input_type=Annotated[str, Field(pattern=r"^\s*\d+(\.\d+)?\s*[kKmMgGtT]")]),
]
"""A number of bytes, written with a unit."""


def mebibytes(size: int) -> str:
    """Return a size as Java and Spark take it: a whole number with its unit."""
    return f"{size // MIB}m"
