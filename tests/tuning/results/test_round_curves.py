"""Which rounds of a long curve are shown."""

import pytest

from tuning.results.round_curves import steps


def test_as_many_as_may_be_shown_are_all_shown():
    assert steps(7, most=7) == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("kept", [None, 3, 55])
def test_of_more_the_first_the_last_and_the_kept_one_are_among_them(kept):
    shown = steps(100, kept, most=7)
    assert len(shown) <= 7
    assert {1, 100, kept or 100} <= set(shown)
    assert shown == sorted(set(shown))
