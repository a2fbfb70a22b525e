"""Counts shrink with the scale, and shares of a whole add up."""

from __future__ import annotations

import numpy as np
import pytest

from sources.synthetic.sizes import Sizes, apportion


def test_nothing_vanishes_at_the_smallest_scale():
    sizes = Sizes.at(0.001)
    assert (sizes.train, sizes.test, sizes.events) == (75, 112, 3253)
    assert sizes.duplicates == sizes.conflicts == sizes.early == sizes.late == 1


@pytest.mark.parametrize("least", [0, 2])
def test_shares_add_up_and_stay_within_one_of_their_quota(least):
    weights = np.array([5.0, 3.0, 1.5, 0.5, 0.0])
    shares = apportion(101, weights, least)
    assert shares.sum() == 101
    assert shares.min() >= least
    assert np.abs(shares - least - (101 - 5 * least) * weights / 10).max() < 1
