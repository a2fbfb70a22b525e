"""Spaces are counted, addressed and drawn from as scikit-learn does, whatever their size."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats
from sklearn.model_selection import ParameterGrid, ParameterSampler

from tuning.spec.space import Distribution, Space


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "expected one of uniform, loguniform, integers, choice, got none of them"),
        ({"uniform": [0, 1], "choice": [1]}, "got uniform and choice"),
        ({"integers": [0, 2**64]}, "integers: the ends must be numbers of 64 bits"),
        ({"uniform": [1, 1]}, "uniform: 1.0 is not below 1.0"),
        ({"integers": [9, 3]}, "integers: 9 is not below 3"),
        ({"loguniform": [0, 1]}, "loguniform: the lower end 0.0 has no logarithm"),
        ({"choice": []}, "the choice is empty"),
        ({"loguniform": [1, 2], "step": 1}, "step goes with uniform or integers, not with loguniform"),
        ({"integers": [1, 5], "step": 9}, "step: 9 does not fit between 1 and 5"),
        ({"integers": [1, 5], "step": 0.5}, "step: 0.5 is not a whole number"),
    ],
)
def test_an_impossible_distribution_is_refused(given, said):
    with pytest.raises(ValidationError) as caught:
        Distribution.model_validate(given)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ({"integers": [2, 5]}, [2, 3, 4, 5]),
        ({"integers": [50, 300], "step": 100}, [50, 150, 250]),
        ({"uniform": [0.1, 0.5], "step": 0.2}, [0.1, 0.3, 0.5]),
        ({"choice": ["a", None]}, ["a", None]),
        ({"loguniform": [0.1, 1]}, None),
    ],
)
def test_values_that_can_be_counted_are(given, values):
    counted = Distribution.model_validate(given).values
    assert (None if counted is None else list(counted)) == values


SPACE = Space(
    {"booster": ["gbtree", "dart"]},
    {
        "eta": Distribution(loguniform=(0.01, 1.0)),
        "depth": Distribution(integers=(2, 8)),
        "subsample": Distribution(uniform=(0.5, 1.0)),
    },
)


def test_draws_keep_to_their_ranges_and_types():
    draws = [candidate.params for candidate in SPACE.sample(400, seed=0)]
    assert {type(params["depth"]) for params in draws} == {int}
    assert {type(params["eta"]) for params in draws} == {float}
    assert {params["depth"] for params in draws} == set(range(2, 9))
    assert all(0.5 <= params["subsample"] <= 1.0 for params in draws)
    logs = np.log10([params["eta"] for params in draws])
    assert abs(logs.mean() + 1) < 0.1, "loguniform has its middle at the geometric mean"


def test_a_seed_repeats_its_draws_and_another_does_not():
    keys = [[candidate.key for candidate in SPACE.sample(5, seed)] for seed in (1, 1, 2)]
    assert keys[0] == keys[1]
    assert not set(keys[0]) & set(keys[2])


def test_a_countable_space_gives_each_candidate_once_and_no_more_than_there_are():
    space = Space({"a": [1, 2], "b": [1, 2, 3]})
    assert {c.key for c in space.sample(100, seed=0)} == {space.at(place).key for place in range(6)}


GRIDS = [{"kernel": ["linear"], "C": [1, 10]}, {"kernel": ["rbf"], "C": [1, 10], "gamma": [0.1, 0.01, 0.5]}, {}]


@pytest.mark.parametrize("grid", [{"b": [1, 2], "a": [3, 4, 5], "c": ["x"]}, GRIDS])
def test_places_are_those_of_parameter_grid(grid):
    space, theirs = Space(grid), ParameterGrid(grid)
    assert space.size == len(theirs)
    assert [candidate.params for candidate in space.all()] == list(theirs)


@pytest.mark.parametrize("grid", [{"b": list(range(40)), "a": list(range(50))}, GRIDS])
@pytest.mark.parametrize("n_drawn", [1, 5, 8])
def test_draws_from_lists_are_those_of_parameter_sampler(grid, n_drawn):
    theirs = list(ParameterSampler(grid, n_drawn, random_state=3))
    assert [candidate.params for candidate in Space(grid).sample(n_drawn, seed=3)] == theirs


def test_draws_from_lists_of_grids_and_ranges_are_those_of_parameter_sampler():
    ours = Space(GRIDS, {"tol": Distribution(loguniform=(1e-5, 1e-3)), "degree": Distribution(integers=(1, 9))})
    ranges = {"tol": stats.loguniform(1e-5, 1e-3), "degree": list(range(1, 10))}
    theirs = ParameterSampler([{**grid, **ranges} for grid in GRIDS], 20, random_state=7)
    assert [candidate.params for candidate in ours.sample(20, seed=7)] == list(theirs)


def test_a_space_beyond_64_bits_is_counted_addressed_and_drawn_from():
    space = Space({}, {f"p{k:02}": Distribution(integers=(0, 2**31 - 1)) for k in range(5)})
    assert space.size == 2**155
    last = space.at(2**155 - 1).params
    assert set(last.values()) == {2**31 - 1}
    drawn = space.sample(4, seed=1)
    assert len({candidate.key for candidate in drawn}) == 4
    assert drawn == space.sample(4, seed=1)
    assert drawn != space.sample(4, seed=2)


def test_a_huge_range_beside_a_continuous_one_is_drawn_from():
    space = Space({}, {"a": Distribution(integers=(0, 2**40)), "b": Distribution(uniform=(0, 1))})
    assert space.size is None
    drawn = [candidate.params["a"] for candidate in space.sample(5, seed=0)]
    assert max(drawn) > 2**32
    assert {type(value) for value in drawn} == {int}


def test_small_steps_are_computed_not_listed():
    steps = Distribution(uniform=(0.0, 1e6), step=1e-6).values
    assert len(steps) == 10**12 + 1
    assert steps[3] == 3e-6
    assert list(steps[:2]) == [0.0, 1e-6]


def test_whole_numbers_keep_all_their_digits():
    high = 2**62 + 1
    assert Distribution(integers=(2**62, high)).values[-1] == high


def test_a_candidate_of_two_grids_counts_once():
    space = Space([{"a": [1, 2]}, {"a": [2, 3]}, {"a": [1], "b": [{"x": [1]}]}, {"a": [1], "b": [{"x": [1]}, 2]}])
    assert space.size == 5
    assert len(space.sample(9, seed=0)) == 5


def test_values_may_be_mappings_and_lists():
    space = Space({"model": [{"class": "a.B", "depth": 3}, [1, 2], None]})
    assert [space.at(place).params["model"] for place in range(3)] == [{"class": "a.B", "depth": 3}, [1, 2], None]
    assert len({candidate.key for candidate in space.sample(3, seed=0)}) == 3
