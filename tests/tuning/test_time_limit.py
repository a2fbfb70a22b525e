"""A fit may run on when the time is up, as long as others have taken, but not for ever."""

import pytest

from tuning import Candidate, FoldScore
from tuning.time_limit import TimeLimit


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize(
    ("seconds", "longest", "grace"),
    [
        (3600.0, 60.0, 120.0),  # twice the longest that has ended
        (3600.0, 0.0, 3600.0),  # none has: as long again
        (3600.0, 3000.0, 3600.0),  # but never more
        (4.0, 1.0, 10.0),  # nor less than some seconds
    ],
)
def test_the_longest_fit_so_far_says_how_long_others_may_run_on(seconds, longest, grace):
    clock = Clock()
    limit = TimeLimit(0.0, seconds, clock)
    if longest:
        limit.seen([FoldScore(Candidate({}), 0, fit_seconds=longest)])
    assert not limit.is_up()
    assert limit.until_no_more_begin() == seconds
    clock.now = seconds
    assert limit.is_up()
    assert limit.until_no_more_begin() == 0
    assert limit.until_given_up() == pytest.approx(grace)
    clock.now = seconds + grace + 1
    assert limit.until_given_up() == 0


def test_without_a_limit_nothing_is_ever_up():
    limit = TimeLimit(0.0, None)
    assert not limit.is_up()
    assert limit.until_no_more_begin() is None
