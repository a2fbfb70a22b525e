"""The plan of fits: what is shared, what is not, and what goes first."""

import numpy as np
import pytest

from tuning import Candidate, Dataset, SweepSpec, Workload
from tuning.grouping import grouped
from tuning.plan import plan_fits
from tuning.strategies import Proposal

CLASSES = np.array(["a", "b"])


def workload(estimator="xgboost.XGBClassifier", folds=3, **fixed):
    spec = SweepSpec(
        estimator=estimator,
        fixed=fixed,
        grid={"max_depth": [1]},
        scoring="accuracy",
        cv={"folds": folds, "shuffle": False},
    )
    y = np.tile([0, 1], 20)
    return Workload.for_spec(spec, Dataset(np.zeros((40, 2)), y, CLASSES))


def proposals(*params, **on):
    return [Proposal(Candidate(each), **on) for each in params]


def sizes(work, proposed):
    """Rounds of the candidates of each group."""
    planned = grouped(work, [proposal.candidate for proposal in proposed])
    return [[candidate.params["n_estimators"] for candidate in group.candidates] for group in planned]


PUBLISHED = proposals(*[{"max_depth": depth, "n_estimators": n} for depth in (3, 4) for n in (300, 400)])


def test_candidates_that_differ_only_in_rounds_share_a_booster():
    assert sizes(workload(), PUBLISHED) == [[300, 400], [300, 400]]


@pytest.mark.parametrize("rounds", [(9, 3), (3, 9)])
def test_a_group_says_why_its_fit_is_shared_for_what_varies_alone(rounds):
    candidates = [Candidate({"n_estimators": each, "max_depth": 2}) for each in rounds]
    (group,) = grouped(workload(), candidates)
    assert [reason.split(":")[0] for reason in group.reasons] == ["n_estimators"]
    assert group.of(candidates[1:]).reasons == []
    assert grouped(workload(), candidates[:1])[0].reasons == []


def test_the_published_grid_is_ten_fits_rather_than_twenty():
    fits = plan_fits(workload(folds=5), PUBLISHED, workers=2)
    assert len(fits) == 10
    assert sum(len(fit.candidates) for fit in fits) == 20


@pytest.mark.parametrize("fixed", [{"booster": "dart"}, {"booster": "gblinear"}, {"process_type": "update"}])
def test_boosters_whose_early_rounds_are_not_a_shorter_fit_are_never_shared(fixed):
    assert len(sizes(workload(**fixed), PUBLISHED)) == 4


def test_dart_among_the_candidates_is_fitted_separately_from_gbtree():
    both = proposals(*[{"booster": b, "n_estimators": n} for b in ("dart", "gbtree") for n in (5, 10)])
    assert sizes(workload(), both) == [[5], [10], [5, 10]]


def test_the_size_of_a_forest_of_xgboost_is_not_a_number_of_rounds():
    forests = proposals({"n_estimators": 5}, {"n_estimators": 10})
    assert sizes(workload("xgboost.XGBRFClassifier"), forests) == [[5], [10]]


@pytest.mark.parametrize("rounds", [0, "many", 2.5, True])
def test_what_is_no_number_of_rounds_is_left_to_a_fit_of_its_own(rounds):
    assert sizes(workload(), proposals({"n_estimators": rounds}, {"n_estimators": 10})) == [[rounds], [10]]


def test_what_the_estimator_refuses_does_not_keep_the_others_from_being_planned():
    forest = workload("sklearn.ensemble.RandomForestClassifier")
    planned = grouped(forest, [Candidate({"no_such": 1}), Candidate({"n_estimators": 3})])
    assert [group.error is None for group in planned] == [True, False]


def test_the_costliest_fits_come_first():
    fits = plan_fits(workload(), proposals({"max_depth": 3}, {"max_depth": 8}, {"max_depth": 5}), workers=2)
    depths = [fit.candidates[0].params["max_depth"] for fit in fits]
    assert depths == [8] * 3 + [5] * 3 + [3] * 3


def test_a_fit_has_one_thread_while_there_are_fits_for_all_workers():
    assert {fit.threads for fit in plan_fits(workload(), PUBLISHED, workers=6)} == {1}


def test_fewer_fits_than_workers_share_the_workers_threads():
    assert {fit.threads for fit in plan_fits(workload(), proposals({}), workers=8)} == {2}


def test_the_cores_that_the_last_fits_leave_idle_are_theirs_and_no_fit_is_lost_or_doubled():
    each = proposals(*[{"max_depth": depth} for depth in (1, 2, 3, 4, 5)])
    forest = workload("sklearn.ensemble.RandomForestClassifier", folds=2)
    fits = plan_fits(forest, [Proposal(proposal.candidate, folds=(0,)) for proposal in each], workers=4)
    assert [fit.threads for fit in fits] == [1, 1, 1, 1, 4]
    assert {fit.candidates[0] for fit in fits} == {proposal.candidate for proposal in each}


def test_a_share_of_the_rounds_costs_that_share():
    ((whole,), (half,)) = (
        plan_fits(workload(folds=2), proposals({"max_depth": 3}, folds=(0,), rounds=share), workers=1)
        for share in (1.0, 0.5)
    )
    assert half.cost == whole.cost / 2
    assert (half.rows, half.rounds) == (1.0, 0.5)


def test_a_proposal_for_some_folds_is_planned_on_those():
    short, long = proposals({"n_estimators": 3}, folds=(0, 1)) + proposals({"n_estimators": 9}, folds=(1, 2))
    planned = {
        fit.fold: [c.params["n_estimators"] for c in fit.candidates] for fit in plan_fits(workload(), [short, long], 1)
    }
    assert planned == {0: [3], 1: [3, 9], 2: [9]}


def test_candidates_on_different_shares_do_not_share_a_booster():
    mixed = proposals({"n_estimators": 3}, rows=0.5) + proposals({"n_estimators": 9})
    assert {len(fit.candidates) for fit in plan_fits(workload(), mixed, 1)} == {1}


@pytest.mark.parametrize(("rows", "seed", "together"), [(200_000, None, 1), (200_001, None, 2), (200_001, 0, 1)])
def test_bins_of_drawn_rows_are_shared_only_under_a_seed(rows, seed, together):
    spec = SweepSpec(
        estimator="sklearn.ensemble.HistGradientBoostingClassifier",
        fixed={"early_stopping": False, "random_state": seed},
        grid={"max_iter": [5, 10]},
        scoring="accuracy",
        cv={"folds": 2, "shuffle": False},
    )
    data = Dataset(np.zeros((rows, 1)), np.arange(rows) % 2, CLASSES)
    assert len(grouped(Workload.for_spec(spec, data), spec.space.all())) == together


def pipeline(folds):
    steps = [
        {"scale": "sklearn.preprocessing.StandardScaler"},
        {"clip": {"class": "sklearn.preprocessing.MinMaxScaler"}},
        {"model": "sklearn.linear_model.LogisticRegression"},
    ]
    cv = {"folds": folds, "shuffle": False}
    spec = SweepSpec(estimator=steps, grid={"model__C": [1.0]}, scoring="accuracy", cv=cv)
    y = np.tile([0, 1], 20)
    return Workload.for_spec(spec, Dataset(np.zeros((40, 2)), y, CLASSES))


def bundled(folds, workers, *params):
    return sorted(
        (len(fit.candidates) for fit in plan_fits(pipeline(folds), proposals(*params), workers)), reverse=True
    )


STRENGTHS = [{"model__C": strength} for strength in (0.1, 1.0, 10.0, 100.0)]


def test_candidates_with_equal_steps_are_one_fit_of_a_fold():
    assert bundled(4, 2, *STRENGTHS) == [4] * 4


def test_the_last_bundle_is_cut_where_a_worker_would_wait_for_it():
    assert bundled(5, 2, *STRENGTHS) == [4, 4, 4, 4, 2, 2]
    assert bundled(4, 3, *STRENGTHS) == [4, 4, 4, 2, 2]
    assert bundled(6, 4, *STRENGTHS) == [4, 4, 4, 4, 2, 2, 2, 2]


def test_fewer_bundles_than_workers_are_no_bundles():
    assert bundled(2, 4, *STRENGTHS) == [1] * 8


def test_as_few_steps_are_asked_to_be_equal_as_keep_all_workers_busy():
    both = [{**each, "clip__clip": clip} for each in STRENGTHS[:2] for clip in (True, False)]
    assert bundled(2, 2, *both) == [4, 4]
    assert bundled(2, 4, *both) == [2, 2, 2, 2]
    assert bundled(2, 5, *both) == [1] * 8
