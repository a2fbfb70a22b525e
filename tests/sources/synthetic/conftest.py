"""The synthetic tables at sizes where each fact can be counted."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

import polars as pl
import pytest

from sources.synthetic import generate

Tables = Mapping[str, pl.DataFrame]


@pytest.fixture(scope="session", params=[0.001, 0.02])
def tables(request: pytest.FixtureRequest) -> Tables:
    """All seven at a small scale. Do not change them in place."""
    return dict(generate(request.param, seed=3))


@pytest.fixture(scope="session")
def full() -> Tables:
    """The devices, phones and events at full scale; app_events, ten times as long as the rest, is for the benchmark."""
    return dict(islice(generate(1.0, seed=0), 4))
