"""What would fail on a fold in every candidate is refused before the first fit, and nothing else is."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut

from errors import SpecError
from tuning import Dataset, SweepSpec, Workload, open_engine, sweep
from tuning.feasibility import check_folds

LEAVE = {"leave": "group"}


def data_of(y, groups, labels="xyz", weights=None):
    """Rows whose groups decide which classes a fold has."""
    X = np.random.default_rng(0).normal(size=(len(y), 3)) + np.asarray(y)[:, None]
    classes = None if labels is None else np.array(list(labels[: max(y) + 1]))
    return Dataset(X, np.asarray(y), classes, groups=np.asarray(groups), sample_weight=weights)


def spec_of(estimator="sklearn.linear_model.LogisticRegression", grid=None, scoring="neg_log_loss", cv=LEAVE):
    return SweepSpec(estimator=estimator, grid=grid or {"C": [0.1, 1.0]}, scoring=scoring, cv=cv)


def check(spec, data):
    check_folds(spec, Workload.for_spec(spec, data))


def one_group_has_class_z():
    """Class z stands in group 3 alone: the fold that tests it trains on no z, and no other fold tests a z."""
    return data_of([0, 1] * 30 + [2] * 20, [0] * 20 + [1] * 20 + [2] * 20 + [3] * 20)


def test_a_class_that_a_fold_does_not_train_on_is_named():
    with pytest.raises(
        SpecError, match=r"^cv: fold \d tests no row of class|^cv: fold 3 trains on no row of class 'z'"
    ):
        check(spec_of(), one_group_has_class_z())


def test_what_grid_search_can_do_is_not_refused():
    data = one_group_has_class_z()
    spec = spec_of(scoring="accuracy")
    check(spec, data)
    with open_engine("local", 1) as engine:
        ours = sweep(spec, data, engine)
    theirs = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, scoring="accuracy", cv=LeaveOneGroupOut())
    theirs.fit(data.X, data.y, groups=data.groups)
    expected = np.array([theirs.cv_results_[f"split{k}_test_score"] for k in range(4)]).T
    assert np.array_equal(ours.split_scores(), expected)


def test_a_test_side_of_one_class_is_refused_for_roc_auc_only():
    data = data_of([0, 1] * 30 + [1] * 20, [0] * 30 + [1] * 30 + [2] * 20)
    with pytest.raises(
        SpecError, match=r"^cv: fold 2 tests no row of class 'x', .* \(roc_auc is not a number\)\. Use fewer"
    ):
        check(spec_of(scoring="roc_auc"), data)
    check(spec_of(scoring="f1"), data)


def test_a_training_side_of_one_class_is_refused_for_those_who_need_two():
    data = data_of([0] * 20 + [1] * 20, [0] * 20 + [1] * 20)
    with pytest.raises(SpecError, match=r"^cv: fold 0 trains on no row of class 'x', .* at least 2 classes"):
        check(spec_of(scoring="accuracy"), data)
    check(spec_of("sklearn.tree.DecisionTreeClassifier", {"max_depth": [1, 2]}, "accuracy"), data)


def test_one_row_has_no_r2():
    data = data_of([0.5, 1.0, 2.0, 3.0, 5.0, 4.0], [0, 0, 0, 1, 1, 2], labels=None)
    with pytest.raises(SpecError, match=r"^cv: fold 2 tests one row only"):
        check(spec_of("sklearn.linear_model.Ridge", {"alpha": [1.0]}, "r2"), data)
    check(spec_of("sklearn.linear_model.Ridge", {"alpha": [1.0]}, "neg_mean_absolute_error"), data)


def test_rows_that_weigh_nothing_are_said():
    weights = np.array([1.0] * 60 + [0.0] * 20)
    data = data_of([0, 1] * 40, [0] * 30 + [1] * 30 + [2] * 20, weights=weights)
    with pytest.raises(SpecError, match=r"^cv: fold 2 tests rows that all weigh 0"):
        check(spec_of(scoring="accuracy"), data)


def test_a_candidate_that_fails_everywhere_is_not_the_folds_fault():
    data = data_of([0] * 20 + [1] * 20, [0] * 20 + [1] * 20)
    check(spec_of("sklearn.svm.SVC", {"kernel": ["precomputed"]}, "accuracy"), data)


def test_one_candidate_that_manages_is_enough():
    data = data_of([0] * 20 + [1] * 20, [0] * 20 + [1] * 20)

    def spec(*strategies):
        grid = {"strategy": list(strategies), "constant": ["x"]}
        return spec_of("sklearn.dummy.DummyClassifier", grid, "accuracy")

    with pytest.raises(SpecError, match="fold 0 trains on no row of class 'x'"):
        check(spec("constant"), data)
    check(spec("constant", "prior"), data)


def test_a_class_that_one_of_several_targets_lacks_is_named():
    groups = np.repeat([0, 1, 2, 3], 20)
    rare = (groups == 3) & (np.arange(80) % 2 == 0)
    X = np.random.default_rng(0).normal(size=(80, 3)) + rare[:, None]
    data = Dataset(X, np.column_stack([np.arange(80) % 2, rare.astype(int)]), groups=groups)
    one_each = {"class": "sklearn.multioutput.MultiOutputClassifier", "estimator": spec_of().estimator}
    spec = spec_of(one_each, {"estimator__C": [0.1, 1.0]}, "accuracy")
    with pytest.raises(SpecError, match=r"^cv: fold 3 trains on no row of class '1' of target 2, and no candidate"):
        check(spec, data)
    check(spec_of("sklearn.ensemble.RandomForestClassifier", {"n_estimators": [2]}, "accuracy"), data)
