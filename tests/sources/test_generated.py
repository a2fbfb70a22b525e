"""Synthetic tables are known by what was asked of the generator."""

from __future__ import annotations

import pytest

from cache import fingerprint
from errors import SourceError
from sources import Silence, ingest
from sources.generated import GeneratedSource


@pytest.mark.parametrize(
    "other", [GeneratedSource(0.002, 0, False), GeneratedSource(0.001, 1, False), GeneratedSource(0.001, 0, True)]
)
def test_each_parameter_is_part_of_the_identity(other, cache):
    base = GeneratedSource(0.001, 0, False)
    assert base.identity(cache) == GeneratedSource(0.001, 0, False).identity(cache)
    assert fingerprint(source=base.identity(cache)) != fingerprint(source=other.identity(cache))


@pytest.mark.parametrize(("scale", "seed"), [(0.0, 0), (1.1, 0), (float("nan"), 0), (0.001, -1)])
def test_what_the_generator_cannot_make_is_refused_and_leaves_nothing(scale, seed, cache):
    with pytest.raises(SourceError, match=r"^synthetic data: "):
        ingest(GeneratedSource(scale, seed, False), cache, Silence())
    assert not [path for path in cache.root.rglob("*") if path.is_file()]
