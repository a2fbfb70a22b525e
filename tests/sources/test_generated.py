"""Synthetic tables are known by what was asked of the generator."""

from __future__ import annotations

import pytest

from cache import fingerprint
from sources.generated import GeneratedSource


@pytest.mark.parametrize(
    "other", [GeneratedSource(0.002, 0, False), GeneratedSource(0.001, 1, False), GeneratedSource(0.001, 0, True)]
)
def test_each_parameter_is_part_of_the_identity(other, cache):
    base = GeneratedSource(0.001, 0, False)
    assert base.identity(cache) == GeneratedSource(0.001, 0, False).identity(cache)
    assert fingerprint(source=base.identity(cache)) != fingerprint(source=other.identity(cache))
