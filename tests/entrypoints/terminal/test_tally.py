"""The tally counts fits and whole candidates, and names the best of those that are whole."""

import pytest

from entrypoints.terminal.tally import Tally, duration, span
from tuning.candidates import Candidate
from tuning.pace import Range
from tuning.results.fold_score import FoldScore

A, B, C = (Candidate({"depth": depth}) for depth in (3, 4, 5))


def scored(candidate, fold, value):
    return FoldScore(candidate, fold, {"accuracy": value})


def test_a_candidate_counts_for_the_best_only_when_all_its_folds_have_ended():
    tally = Tally(n_candidates=2, n_folds=2, scorer="accuracy")
    tally.add([scored(A, 0, 0.5), scored(B, 0, 0.9)])
    assert tally.best is None
    tally.add([scored(A, 1, 0.7)])
    assert tally.best == (pytest.approx(0.6), A)
    tally.add([scored(B, 1, 0.1)])
    assert tally.best == (pytest.approx(0.6), A)
    assert tally.counts() == "4/4 fits, 2/2 candidates"
    assert tally.standing() == "best accuracy 0.60000 (depth=3)"


def test_a_failed_candidate_is_counted_and_is_never_the_best():
    tally = Tally(n_candidates=1, n_folds=2, scorer="accuracy")
    tally.add([scored(A, 0, 0.5), FoldScore(A, 1, error="ValueError: no")])
    assert tally.best is None
    assert tally.counts() == "2/2 fits, 1/1 candidates, 1 failed"


def test_without_a_known_number_of_candidates_none_is_said():
    tally = Tally(n_candidates=None, n_folds=2, scorer="accuracy")
    tally.add([scored(A, 0, 0.5)])
    assert tally.counts() == "1 fits, 0 candidates"


def test_before_any_candidate_is_whole_those_lead_that_beat_the_others_on_their_folds():
    tally = Tally(n_candidates=3, n_folds=3, scorer="accuracy")
    easy = [scored(A, 0, 0.9), scored(B, 0, 0.95)]
    hard = [scored(B, 1, 0.1), scored(C, 1, 0.3)]
    tally.add([*easy, *hard])
    leaders = tally.leaders()
    assert [each.candidate for each in leaders] == [
        C,
        A,
        B,
    ]  # 0.1 above its fold, 0.025 below its own, 0.0375 below on two
    assert tally.standing() == "best accuracy 0.30000 on 1 of 3 folds (depth=5)"


def test_a_leader_on_every_fold_comes_before_those_that_are_on_their_way():
    tally = Tally(n_candidates=2, n_folds=2, scorer="accuracy")
    tally.add([scored(A, 0, 0.5), scored(A, 1, 0.5), scored(B, 0, 0.9)])
    assert [(each.candidate, each.is_whole) for each in tally.leaders()] == [(A, True), (B, False)]


def test_where_folds_choose_the_rounds_together_the_mean_is_that_of_the_common_round():
    tally = Tally(n_candidates=1, n_folds=2, scorer="accuracy")
    curves = (
        [0.5, 0.8, 0.1],
        [0.9, 0.6, 0.2],
    )  # each fold's own best is 0.8 and 0.9, together 0.7 at the first or second
    for fold, curve in enumerate(curves):
        tally.add([FoldScore(A, fold, {"accuracy": max(curve)}, curves={"accuracy": curve})])
    assert tally.best == (pytest.approx(0.7), A)


def test_a_lower_rung_leads_only_while_nobody_is_above():
    tally = Tally(n_candidates=2, n_folds=1, scorer="accuracy")
    tally.add([FoldScore(A, 0, {"accuracy": 0.9}, share=0.1), FoldScore(B, 0, {"accuracy": 0.5}, share=0.1)])
    assert tally.standing() == "best accuracy 0.90000 on 1 of 1 folds at 10% (depth=3)"
    tally.add([FoldScore(B, 0, {"accuracy": 0.6})])
    assert tally.standing() == "best accuracy 0.60000 (depth=4)"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (9.96, "10 s"), (59.7, "1 min 00 s"), (185, "3 min 05 s"), (7800, "2 h 10 min")],
)
def test_a_duration_is_said_in_the_units_that_fit(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0, 1.5, "a moment"),
        (3, 6.2, "3 to 7 s"),
        (0, 30, "up to 30 s"),
        (42, 71, "40 to 75 s"),
        (100, 290, "1 to 5 min"),
        (7000, 9500, "1.5 to 3 h"),
    ],
)
def test_a_time_that_is_not_known_exactly_is_a_range_of_round_numbers(low, high, words):
    assert span(Range(low, high)) == words
