"""Candidates are compared by means of all folds alone."""

import numpy as np

from tests.tracking.outcomes import SPEC, outcome
from tuning.results.judged import best_first, full_means, left_out_words

SCORES = {(300, 3): [-2.3, -2.5], (300, 4): [-2.0], (400, 3): [-2.1, "ValueError: no"], (400, 4): [-2.2, -2.2]}


def test_who_failed_or_was_stopped_has_no_mean():
    np.testing.assert_allclose(full_means(outcome(SPEC, SCORES)), [-2.4, np.nan, np.nan, -2.2])
    assert left_out_words(outcome(SPEC, SCORES)) == "1 failed, 1 stopped early"


def test_where_all_were_judged_nobody_is_missing():
    assert left_out_words(outcome(SPEC, {(300, 3): [-2.3, -2.5]})) == ""


def test_the_best_comes_first_equals_as_they_were_proposed_and_no_mean_has_no_place():
    assert best_first(np.array([0.2, np.nan, 0.5, 0.2, 0.9])).tolist() == [4, 2, 0, 3]
