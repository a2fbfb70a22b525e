"""What remains is foretold from what has ended: by cost, by number, and as a range that closes."""

import pytest

from tuning.candidates import Candidate
from tuning.control import UNATTENDED
from tuning.engines.ledger import FitControl, Ledger
from tuning.pace import Pace, Work
from tuning.plan import Fit


def pace_of(*fits):
    pace = Pace()
    for cost, seconds in fits:
        pace = pace.seen(Work(1, cost), seconds)
    return pace


def fit(cost=1.0, rows=1.0):
    return Fit(0, (Candidate({"cost": cost}),), cost, rows=rows)


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_fits_of_one_cost_say_little_of_cheaper_ones():
    seen = pace_of((8, 4.0), (8, 4.0)).foretell(Work(10, 10))
    assert seen.low <= 10 * 4 / 8
    assert seen.high >= 10 * 4


def test_fits_of_two_costs_tell_the_constant_part_from_the_growing_one():
    pace = pace_of(*((cost, 1 + 0.5 * cost) for cost in (8, 8, 4, 4, 2)))
    seen = pace.foretell(Work(10, 10))
    assert seen.low < 15 < seen.high
    assert seen.high - seen.low < 0.25 * 15


def test_fits_that_stray_make_the_range_wider():
    calm, wild = pace_of((1, 2.0), (1, 2.1), (1, 1.9)), pace_of((1, 0.5), (1, 4.0), (1, 1.5))
    assert wild.foretell(Work(4, 4)).high - wild.foretell(Work(4, 4)).low > calm.foretell(Work(4, 4)).high


def test_a_first_fit_tells_of_all_by_its_rounds_before_it_has_ended():
    clock, ledger = Clock(), None
    ledger = Ledger(clock)
    first, second = fit(), fit()
    for each in (first, second):
        ledger.submitted(each)
    ledger.began(first)
    assert ledger.state().left(1) is None
    control = FitControl(UNATTENDED, ledger, first)
    clock.now += 10  # its matrix is made
    control.at_round(1, 101)
    clock.now += 20
    control.at_round(21, 101)
    left = ledger.state().left(1)
    assert ledger.state().running[0].rounds == (21, 101)
    assert left.low < 80 + 110 < left.high


def test_the_time_left_ticks_while_nothing_ends():
    clock = Clock()
    ledger = Ledger(clock)
    fits = [fit() for _ in range(4)]
    for each in fits:
        ledger.submitted(each)
    ledger.began(fits[0])
    clock.now += 10
    ledger.ended(fits[0])
    ledger.began(fits[1])
    before = ledger.state().left(1)
    clock.now += 5
    after = ledger.state().left(1)
    assert before.high - after.high == pytest.approx(5)
    assert after.low < before.low


def test_workers_share_the_work_but_no_fit_ends_before_its_own_time():
    clock = Clock()
    ledger = Ledger(clock)
    fits = [fit() for _ in range(9)]
    for each in fits:
        ledger.submitted(each)
    ledger.began(fits[0])
    clock.now += 10
    ledger.ended(fits[0])
    assert ledger.state().left(8).low < 10 < ledger.state().left(8).high < 20
    assert ledger.state().left(1).high > 80


def test_a_fit_that_is_dropped_is_not_waited_for():
    ledger = Ledger()
    each = fit()
    ledger.submitted(each)
    ledger.dropped(each)
    assert ledger.state().waiting == Work()


def test_a_part_of_a_fit_is_a_part_of_its_work():
    ledger, each = Ledger(), fit()
    ledger.submitted(each)
    ledger.began(each)
    control = FitControl(UNATTENDED, ledger, each)
    control.at_part(0.5, 1.0)
    control.at_round(1, 2)
    assert ledger.state().running[0].share == 0.75
