"""Ten kills at random moments: nothing is fitted again that was known, nothing is left behind, and nothing differs."""

import random

import pytest

from benchmarks.chaos.__main__ import Measured, disturb

pytestmark = pytest.mark.disturbs


def test_a_sweep_that_is_killed_again_and_again_comes_to_what_an_undisturbed_one_comes_to(tmp_path):
    measured: Measured = {}
    for kind, kills in (("driver", 2), ("worker", 8)):
        seen = disturb(kind, kills, tmp_path, random.Random(0), (8, 0.2), measured)
        assert seen.kills == kills
        assert seen.is_clean, seen
