"""The plan of fits: what is shared, what is not, and what goes first."""

import numpy as np
import pytest

from tuning import Candidate, Dataset, SweepSpec, Workload, plan_fits
from tuning.plan import prefix_groups

CLASSES = np.array(["a", "b"])


def workload(estimator="xgboost.XGBClassifier", folds=3, **fixed):
    spec = SweepSpec(
        estimator=estimator, fixed=fixed, grid={"x": [1]}, scoring="accuracy", cv={"folds": folds, "shuffle": False}
    )
    y = np.tile([0, 1], 20)
    return Workload.for_spec(spec, Dataset(np.zeros((40, 2)), y, CLASSES))


def candidates(*params):
    return [Candidate(each) for each in params]


PUBLISHED = candidates(*[{"max_depth": depth, "n_estimators": n} for depth in (3, 4) for n in (300, 400)])


def test_candidates_that_differ_only_in_rounds_share_a_booster():
    groups = prefix_groups(workload().estimator, PUBLISHED)
    assert [[c.params["n_estimators"] for c in group] for group in groups] == [[300, 400], [300, 400]]


def test_the_published_grid_is_ten_fits_rather_than_twenty():
    fits = plan_fits(workload(folds=5), PUBLISHED, workers=2)
    assert len(fits) == 10
    assert sum(len(fit.candidates) for fit in fits) == 20


@pytest.mark.parametrize("fixed", [{"booster": "dart"}, {"booster": "gblinear"}, {"process_type": "update"}])
def test_boosters_whose_early_rounds_are_not_a_shorter_fit_are_never_shared(fixed):
    assert len(prefix_groups(workload(**fixed).estimator, PUBLISHED)) == 4


def test_dart_among_the_candidates_is_fitted_separately_from_gbtree():
    both = candidates(*[{"booster": b, "n_estimators": n} for b in ("dart", "gbtree") for n in (5, 10)])
    groups = prefix_groups(workload().estimator, both)
    assert [len(group) for group in groups] == [1, 1, 2]


@pytest.mark.parametrize("estimator", ["xgboost.XGBRFClassifier", "sklearn.ensemble.RandomForestClassifier"])
def test_the_size_of_a_forest_is_not_a_number_of_rounds(estimator):
    forests = candidates({"n_estimators": 5}, {"n_estimators": 10})
    assert len(prefix_groups(workload(estimator).estimator, forests)) == 2


def test_the_costliest_fits_come_first():
    fits = plan_fits(workload(), candidates({"max_depth": 3}, {"max_depth": 8}, {"max_depth": 5}), workers=2)
    depths = [fit.candidates[0].params["max_depth"] for fit in fits]
    assert depths == [8] * 3 + [5] * 3 + [3] * 3


def test_a_fit_has_one_thread_while_there_are_fits_for_all_workers():
    assert {fit.threads for fit in plan_fits(workload(), PUBLISHED, workers=6)} == {1}


def test_fewer_fits_than_workers_share_the_workers_threads():
    assert {fit.threads for fit in plan_fits(workload(), candidates({}), workers=8)} == {2}
