"""The corrected interval is that of Nadeau and Bengio, worked by hand, and covers what it claims."""

import math

import numpy as np
import pytest

from tuning.results.statistics import paired_difference, ranks, simplest_within, standard_error


def test_a_case_worked_by_hand():
    first, second = [0.80, 0.82, 0.78, 0.81, 0.79], [0.79, 0.80, 0.78, 0.78, 0.79]
    # differences 0.01 0.02 0 0.03 0: mean 0.012, variance 0.00017; (1/5 + 1/4) * 0.00017 = 7.65e-5, root 0.0087464;
    # t(0.975, 4) = 2.7764451
    difference = paired_difference(first, second, test_share=0.25)
    assert difference.mean == pytest.approx(0.012)
    assert difference.high - difference.mean == pytest.approx(2.7764451 * 0.0087464, rel=1e-4)
    assert not difference.is_clear


def test_a_steady_difference_is_clear_however_the_folds_spread():
    first = [0.9, 0.5, 0.7, 0.6, 0.8]
    assert paired_difference(first, [score - 0.01 - 0.0001 * k for k, score in enumerate(first)], 0.25).is_clear


def test_one_fold_tells_nothing():
    difference = paired_difference([1.0], [0.0], 0.25)
    assert (difference.low, difference.high) == (-math.inf, math.inf)
    assert not difference.is_clear


def test_folds_of_equal_estimators_are_rarely_told_apart():
    """Overlapping training sets correlate fold scores; the correction is for that, so simulate it."""
    generator = np.random.default_rng(0)
    correlation, trials = 0.2, 2000  # of any two folds' differences, n_test / n_total in 5 folds
    shared = generator.normal(size=(trials, 1)) * math.sqrt(correlation)
    differences = shared + generator.normal(size=(trials, 5)) * math.sqrt(1 - correlation)
    wrong = np.mean([paired_difference(row, np.zeros(5), 0.25).is_clear for row in differences])
    assert wrong < 0.06


def test_the_smallest_within_one_standard_error_is_chosen():
    best_splits = [0.90, 0.94, 0.86, 0.92, 0.88]  # standard error 0.0141
    assert simplest_within([0.90, 0.89, 0.88], standard_error(best_splits), sizes=[100, 10, 1]) == 1
    assert simplest_within([0.90, 0.89, float("nan")], standard_error(best_splits), sizes=[1, 10, 0]) == 0


def test_of_equally_simple_ones_the_better_is_chosen():
    assert simplest_within([0.90, 0.88, 0.89], 0.05, sizes=[100, 10, 10]) == 2


def test_a_size_that_is_not_known_leaves_the_best():
    assert simplest_within([0.89, 0.90, 0.88], 0.05, sizes=[1, 10, None]) == 1


def test_who_came_further_ranks_first_and_equal_scores_tie_only_where_they_came_as_far():
    assert ranks(np.array([0.5, 0.9, 0.5, 0.5]), progress=[3, 1, 2, 3]).tolist() == [1, 4, 3, 1]
