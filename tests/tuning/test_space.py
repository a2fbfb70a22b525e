"""Distributions are drawn as they are written, and impossible ones are refused."""

import numpy as np
import pytest
from pydantic import ValidationError

from tuning.spec.space import Distribution, Space


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "expected one of uniform, loguniform, integers, choice, got none of them"),
        ({"uniform": [0, 1], "choice": [1]}, "got uniform and choice"),
        ({"uniform": [1, 1]}, "uniform: 1.0 is not below 1.0"),
        ({"integers": [9, 3]}, "integers: 9.0 is not below 3.0"),
        ({"loguniform": [0, 1]}, "loguniform: the lower end 0.0 has no logarithm"),
        ({"choice": []}, "the choice is empty"),
        ({"loguniform": [1, 2], "step": 1}, "step goes with uniform or integers, not with loguniform"),
        ({"integers": [1, 5], "step": 9}, "step: 9 does not fit between 1.0 and 5.0"),
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
    assert Distribution.model_validate(given).values == values


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
    assert {c.key for c in space.sample(100, seed=0)} == {c.key for c in space.all()}
