"""The forecast counts exactly, measures rather than guesses, and keeps within the budget."""

from types import SimpleNamespace

import numpy as np
import pytest

from errors import SpecError
from tuning import Candidate, Dataset, SweepSpec, Workload, sweep
from tuning.forecast import forecast, workers_within
from tuning.grouping import grouped
from tuning.plan import plan_fits
from tuning.probing import Need, Probe, measure, seconds_of
from tuning.search import check_size, make_strategy
from tuning.strategies import Proposal
from tuning.volume import volume_of


def rows(n_rows=400):
    y = np.arange(n_rows) % 3
    X = np.random.default_rng(0).normal(size=(n_rows, 6)).astype(np.float32) + y[:, None]
    return Dataset(X, y, np.array(["a", "b", "c"]))


def spec(**changes):
    given = {
        "estimator": "xgboost.XGBClassifier",
        "grid": {"n_estimators": [10, 40], "max_depth": [2, 5]},
        "scoring": "neg_log_loss",
        "cv": {"folds": 4},
    }
    return SweepSpec(**{**given, **changes})


def test_candidates_fits_and_distinct_boosters_are_counted():
    foretold = forecast(spec(), rows(), cores=2)
    assert (foretold.n_candidates, foretold.n_fits, foretold.n_units) == (4, 16, 8)
    assert foretold.workers == 2
    assert foretold.seconds > 0
    assert foretold.peak_bytes > 0


@pytest.mark.parametrize("strategy", ["random", "tpe", "racing", "halving"])
def test_strategies_that_do_not_say_all_at_once_are_counted_in_full(strategy):
    drawn = spec(
        grid={}, distributions={"reg_lambda": {"uniform": [1, 9]}}, search={"strategy": strategy, "candidates": 14}
    )
    foretold = forecast(drawn, rows(), cores=2)
    assert (foretold.n_candidates, foretold.n_fits) == (14, 56)


def test_no_fit_of_the_full_length_is_trained(monkeypatch):
    trained = []
    monkeypatch.setattr("tuning.probing.run_fit", lambda workload, fit, matrices: trained.append(fit.rounds))
    forecast(spec(grid={"n_estimators": [1000]}), rows(), cores=1)
    assert trained
    assert max(trained) <= 4 / 1000


def test_from_a_few_rounds_of_a_few_fits_the_seconds_of_every_fit_are_foretold(monkeypatch):
    """Fits take what a formula says on a clock of ours, so that the forecast of each can be held to it."""
    workload = Workload.for_spec(spec(grid={"n_estimators": [50]}), rows())
    candidates = [Candidate({"max_depth": depth, "n_estimators": n}) for depth in (1, 4, 8) for n in (50, 200)]
    fits = plan_fits(workload, [Proposal(candidate) for candidate in candidates], 1)
    now, trained = [0.0], []

    def seconds(fit, n_rounds):
        return 0.002 * n_rounds + 0.0005 * fit.cost * n_rounds / rounds_of(fit)

    def rounds_of(fit):
        return max(candidate.params["n_estimators"] for candidate in fit.candidates)

    def pretend(workload, fit, keeper):
        trained.append(n_rounds := fit.rounds * rounds_of(fit))
        now[0] += seconds(fit, n_rounds)

    monkeypatch.setattr("tuning.probing.run_fit", pretend)
    monkeypatch.setattr("tuning.probing.time", SimpleNamespace(perf_counter=lambda: now[0]))
    probe = measure(workload, fits)
    assert max(trained) == pytest.approx(4)
    foretold = [seconds_of(probe, workload, fit) for fit in fits]
    assert foretold == pytest.approx([seconds(fit, rounds_of(fit)) for fit in fits], rel=1e-6)
    assert len(set(foretold)) == 3


def test_estimators_that_are_no_boosters_are_timed_whole():
    forest = spec(estimator="sklearn.ensemble.RandomForestClassifier")
    assert forecast(forest, rows(), cores=1).n_units == 16


def test_cores_of_the_budget_hold():
    assert workers_within(spec(budget={"cores": 3}), rows(), cores=8) == 3


def test_memory_limits_the_fits_side_by_side(monkeypatch):
    probe = Probe(0.0, 1.0, 0.0, Need(base_bytes=10**9, matrix_bytes=10**8, fit_bytes=5 * 10**8))
    monkeypatch.setattr("tuning.forecast.measure", lambda workload, fits: probe)
    # 1 GB + 4 folds of 0.1 GB leave room for 2 fits of 0.5 GB within 2.5 GB
    assert workers_within(spec(budget={"max_memory": "2.5GB"}), rows(), cores=8) == 2


def test_a_budget_too_small_for_one_fit_is_refused_with_what_it_takes():
    with pytest.raises(
        SpecError, match=r"budget\.max_memory: 1 GB|budget\.max_memory: 0\.001 GB are not enough for one fit"
    ):
        workers_within(spec(budget={"max_memory": "1MB"}), rows(), cores=2)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"max_time": "soon"}, "budget.max_time: expected a number with a unit (s, m, h, d), such as 30m, got 'soon'"),
        ({"max_time": 0}, "budget.max_time: expected more than nothing, got 0"),
        ({"max_memory": "8 parsecs"}, "budget.max_memory: expected a number with a unit (KB, MB"),
        ({"max_candidates": 0}, "budget.max_candidates: should be greater than or equal to 1, got 0"),
        ({"cores": 1.5}, "budget.cores: should be a whole number"),
        ({"time": "1h"}, "budget.time: unknown key. Did you mean 'max_time'?"),
    ],
)
def test_a_budget_that_makes_no_sense_is_refused(given, said):
    from tuning.spec.file import validate

    with pytest.raises(SpecError) as caught:
        validate(SweepSpec, {**spec().model_dump(exclude_none=True, exclude={"budget"}), "budget": given})
    assert said in str(caught.value)


def test_units_are_understood():
    budget = spec(budget={"max_time": "1.5h", "max_memory": "2 GiB"}).budget
    assert (budget.max_time, budget.max_memory) == (5400, 2 * 2**30)


def _large(n_values=12, **more):
    """A grid of 12 * 12 * 12 candidates, of which each 12 that differ in rounds share a booster."""
    values = list(range(1, n_values + 1))
    return {"n_estimators": values, "max_depth": values, "reg_lambda": values, **more}


def test_a_large_grid_is_counted_as_if_it_were_listed():
    given = spec(grid=_large(booster=["gbtree", "dart"]))
    volume = volume_of(given, Workload.for_spec(given, rows()), make_strategy(given, Workload.for_spec(given, rows())))
    listed = grouped(Workload.for_spec(given, rows()), [given.space.at(place) for place in range(given.space.size)])
    assert (volume.n_candidates, volume.n_trainings) == (2 * 12**3, len(listed))


def test_a_large_draw_is_counted_close_to_what_it_is():
    given = spec(grid=_large(), search={"strategy": "random", "candidates": 1200})
    workload = Workload.for_spec(given, rows())
    proposals = make_strategy(given, workload).ask()
    volume = volume_of(given, workload, make_strategy(given, workload))
    assert volume.n_candidates == 1200
    assert volume.n_trainings == pytest.approx(
        len(grouped(workload, [proposal.candidate for proposal in proposals])), rel=0.05
    )


def test_a_million_candidates_are_foretold_from_a_sample():
    values = list(range(1, 11))
    grid = dict.fromkeys(("max_depth", "reg_lambda", "reg_alpha", "gamma", "min_child_weight", "max_leaves"), values)
    foretold = forecast(spec(grid=grid, fixed={"n_estimators": 2}, cv={"folds": 3}), rows(60), cores=2)
    assert (foretold.n_candidates, foretold.n_fits, foretold.n_units) == (10**6, 3 * 10**6, 3 * 10**6)
    assert foretold.seconds > 60


def test_a_whole_grid_of_a_million_is_refused_before_the_data_are_looked_at():
    values = list(range(1, 101))
    given = spec(grid={"max_depth": values, "reg_lambda": values, "n_estimators": values})
    with pytest.raises(SpecError, match=r"^grid: 1,000,000 candidates are more than the 100,000 .* candidates: 100"):
        sweep(given, None, None)
    check_size(given.model_copy(update={"budget": given.budget.model_copy(update={"max_candidates": 5})}))
