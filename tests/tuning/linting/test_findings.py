"""What a result says about its search, worked out by hand."""

import pytest
import yaml

from tests.tracking.outcomes import outcome
from tuning.linting import findings
from tuning.linting.bounds import Bounds, bounds_of
from tuning.linting.edges import next_range, next_values
from tuning.results.sweep_result import SweepResult
from tuning.spec.estimators import make_estimator
from tuning.spec.space import Distribution
from tuning.spec.sweep_spec import SweepSpec

XGB = {"estimator": "xgboost.XGBClassifier", "scoring": "neg_log_loss", "cv": {"folds": 2}}


def spec(**changes):
    return SweepSpec(**{**XGB, **changes})


def codes(spec, result, **given):
    return [found.code for found in findings(spec, result, **given)]


def flat(spec, means):
    """A result whose candidates score the same on both folds."""
    return outcome(spec, {values: [mean, mean] for values, mean in means.items()})


# --- GF101: at an edge ------------------------------------------------------------------------------------------------


def test_a_winner_in_the_middle_is_at_no_edge():
    asked = spec(grid={"max_depth": [2, 3, 4]})
    assert codes(asked, flat(asked, {(2,): -3.0, (3,): -2.0, (4,): -2.5})) == []


def test_a_winner_at_an_edge_gets_the_next_grid_with_the_others_at_its_values():
    asked = spec(grid={"max_depth": [2, 3, 4], "learning_rate": [0.05, 0.1, 0.2]})
    means = {(d, r): -3.0 + 0.1 * d - abs(r - 0.1) for d in (2, 3, 4) for r in (0.05, 0.1, 0.2)}
    (found,) = findings(asked, flat(asked, means))
    assert found.code == "GF101"
    assert "`max_depth=4`" in found.words
    assert "learning_rate" not in found.words
    assert yaml.safe_load(found.next_spec) == {"grid": {"max_depth": [4, 5, 6], "learning_rate": [0.1]}}
    assert SweepSpec(**{**XGB, **yaml.safe_load(found.next_spec)}).space.size == 3


@pytest.mark.parametrize(
    ("values", "best", "beyond"),
    [
        ([300, 400], 400, [400, 500, 600]),
        ([300, 400], 300, [100, 200, 300]),
        ([0.01, 0.1, 1.0], 0.01, [0.0001, 0.001, 0.01]),
        ([1, 10, 100], 100, [100, 1000, 10000]),
        ([0.05, 0.1], 0.1, [0.1, 0.2, 0.4]),
        ([1, 2, 4], 1, []),
        ([1, 2, 4], 2, []),
        (["a", "b"], "a", []),
        ([5], 5, []),
    ],
)
def test_steps_or_factors_go_on_beyond_the_edge(values, best, beyond):
    assert next_values(values, best, Bounds(1.0) if values == [1, 2, 4] else Bounds()) == beyond


def test_nothing_lies_beyond_what_the_estimator_allows():
    asked = spec(grid={"subsample": [0.5, 0.75, 1.0]})
    assert codes(asked, flat(asked, {(0.5,): -3.0, (0.75,): -2.5, (1.0,): -2.0})) == []


def test_bounds_come_from_scikit_learn_where_it_knows_them():
    forest = make_estimator([{"fit": {"class": "sklearn.ensemble.RandomForestClassifier"}}], {})
    assert bounds_of(forest, "fit__min_samples_leaf").allow(1)
    assert not bounds_of(forest, "fit__ccp_alpha").allow(-0.1)
    assert bounds_of(forest, "fit__nothing_known") == Bounds()


@pytest.mark.parametrize(
    ("drawn", "best", "further"),
    [
        ({"loguniform": [0.01, 1.0]}, 0.99, {"loguniform": [0.1, 10.0]}),
        ({"uniform": [0.0, 1.0]}, 0.5, {}),
        ({"integers": [10, 30]}, 10, {"integers": [0, 20]}),
        ({"choice": [1, 2]}, 2, {}),
    ],
)
def test_a_range_moves_by_half_its_width(drawn, best, further):
    assert next_range(Distribution(**drawn), best, Bounds()) == further


def test_rounds_that_early_stopping_chose_at_their_limit_are_an_edge_too():
    asked = spec(fixed={"n_estimators": 50}, grid={"max_depth": [2, 3, 4]}, early_stopping={})
    result = flat(asked, {(2,): -3.0, (3,): -2.0, (4,): -2.5})
    at_limit = SweepResult(**{**vars_of(result), "rounds": {result.best: 50}})
    (found,) = findings(asked, at_limit)
    assert "`n_estimators=50`" in found.words
    assert yaml.safe_load(found.next_spec)["fixed"] == {"n_estimators": 100}
    assert codes(asked, SweepResult(**{**vars_of(result), "rounds": {result.best: 49}})) == []


def vars_of(result):
    return {name: getattr(result, name) for name in SweepResult.__dataclass_fields__}


# --- GF102: without effect --------------------------------------------------------------------------------------------


def test_a_parameter_that_changes_nothing_is_named_and_its_edge_is_none():
    asked = spec(grid={"max_depth": [2, 3, 4], "n_estimators": [10, 20]})
    depth = {2: -3.0, 3: -2.0, 4: -2.5}
    result = flat(asked, {(d, n): depth[d] - n / 10_000 for d in depth for n in (10, 20)})
    (found,) = findings(asked, result)
    assert (found.code, found.parameters) == ("GF102", ("n_estimators",))


def test_where_no_two_candidates_differ_in_one_parameter_alone_nothing_is_said():
    asked = spec(grid={"max_depth": [2, 3, 4], "n_estimators": [10, 20, 30]})
    result = flat(asked, {(2, 10): -3.0, (3, 20): -2.0, (4, 30): -2.5})
    assert codes(asked, result) == []


# --- GF103: a gap -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("learned", "expected"), [(-0.1, ["GF103"]), (-1.5, [])])
def test_a_gap_wider_than_all_that_the_sweep_has_moved(learned, expected):
    asked = spec(grid={"max_depth": [2, 3, 4]})
    result = flat(asked, {(2,): -3.0, (3,): -2.0, (4,): -2.5})
    assert codes(asked, result, trained={"neg_log_loss": learned}) == expected


# --- GF104: noise -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("means", "expected"), [((-2.2, -1.7), ["GF104"]), ((-2.01, -2.02), []), ((), [])])
def test_a_lead_is_held_against_what_a_seed_changes(means, expected):
    asked = spec(grid={"max_depth": [2, 3, 4]})
    result = flat(asked, {(2,): -3.0, (3,): -2.0, (4,): -2.4})
    assert codes(asked, SweepResult(**{**vars_of(result), "seed_means": means})) == expected
