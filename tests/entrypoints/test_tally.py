"""The tally counts fits and whole candidates, and names the best of those that are whole."""

import pytest

from entrypoints.tally import Tally, duration
from tuning.candidates import Candidate
from tuning.results.sweep_result import FoldScore

A, B = Candidate({"depth": 3}), Candidate({"depth": 4})


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


def test_the_time_left_follows_the_pace_so_far():
    tally = Tally(n_candidates=2, n_folds=2, scorer="accuracy")
    assert tally.left(elapsed=10) == ""
    tally.add([scored(A, 0, 0.5)])
    assert tally.left(elapsed=10) == "about 30 s left"


def test_without_a_known_number_of_candidates_nothing_is_estimated():
    tally = Tally(n_candidates=None, n_folds=2, scorer="accuracy")
    tally.add([scored(A, 0, 0.5)])
    assert tally.counts() == "1 fits, 0 candidates"
    assert tally.left(elapsed=10) == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (9.96, "10 s"), (59.7, "1 min 00 s"), (185, "3 min 05 s"), (7800, "2 h 10 min")],
)
def test_a_duration_is_said_in_the_units_that_fit(seconds, words):
    assert duration(seconds) == words
