"""Folds are scikit-learn's, and never more than the data can bear."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    PredefinedSplit,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
    TimeSeriesSplit,
    check_cv,
)

from errors import SpecError
from tuning import Dataset, Fold, make_folds
from tuning.folds import share_tested
from tuning.spec.cv import CvSpec


def dataset(y, classes=None, **more):
    return Dataset(np.zeros((len(y), 1)), np.asarray(y), classes, **more)


def same(folds, splits):
    """Whether the folds have the splits' rows, in their order."""
    return [(f.train.tolist(), f.test.tolist()) for f in folds] == [(a.tolist(), b.tolist()) for a, b in splits]


Y = np.random.default_rng(0).integers(0, 3, 60)
CLASSES = np.array(["a", "b", "c"])
GROUPS = np.random.default_rng(1).integers(0, 8, 60)


def test_classification_folds_are_those_of_stratified_kfold():
    y = np.random.default_rng(0).integers(0, 3, 60)
    folds = make_folds(CvSpec(folds=4, seed=7), dataset(y, np.array(["a", "b", "c"])))
    expected = StratifiedKFold(4, shuffle=True, random_state=7).split(np.zeros(60), y)
    for fold, (train, test) in zip(folds, expected, strict=True):
        assert np.array_equal(fold.train, train)
        assert np.array_equal(fold.test, test)


def test_regression_folds_are_those_of_kfold_in_file_order_without_shuffle():
    folds = make_folds(CvSpec(folds=3, shuffle=False), dataset(np.arange(9.0)))
    assert [fold.test.tolist() for fold in folds] == [test.tolist() for _, test in KFold(3).split(np.zeros(9))]


def test_more_folds_than_any_class_has_rows_are_refused_as_scikit_learn_does():
    with pytest.raises(
        SpecError, match=r"cv\.folds: 21 folds, but class 'M22-', the largest, has only 20 training rows"
    ):
        make_folds(CvSpec(folds=21), dataset([0] * 3 + [1] * 20, np.array(["F23-", "M22-"])))


def test_a_class_with_fewer_rows_than_folds_is_split_as_scikit_learn_does():
    y = np.array([0] * 3 + [1] * 20)
    folds = make_folds(CvSpec(folds=5), dataset(y, np.array(["F23-", "M22-"])))
    with pytest.warns(UserWarning, match="least populated class"):
        theirs = list(StratifiedKFold(5, shuffle=True, random_state=0).split(y, y))
    assert same(folds, theirs)


def test_more_folds_than_rows_are_refused_in_regression():
    with pytest.raises(SpecError, match="there are only 3 training rows"):
        make_folds(CvSpec(folds=5), dataset([1.0, 2.0, 3.0]))


def test_repeats_are_those_of_repeated_kfold():
    cv = CvSpec(folds=4, repeats=3, seed=5)
    expected = RepeatedStratifiedKFold(n_splits=4, n_repeats=3, random_state=5).split(Y, Y)
    assert same(make_folds(cv, dataset(Y, CLASSES)), expected)
    expected = RepeatedKFold(n_splits=4, n_repeats=3, random_state=5).split(Y)
    assert same(make_folds(cv, dataset(Y.astype(float))), expected)


@pytest.mark.parametrize(("kind", "classes"), [(StratifiedGroupKFold, CLASSES), (GroupKFold, None)])
def test_repeats_keep_groups_whole(kind, classes):
    state = np.random.RandomState(9)
    expected = [s for _ in range(2) for s in kind(3, shuffle=True, random_state=state).split(Y, Y, GROUPS)]
    data = dataset(Y if classes is not None else Y.astype(float), classes, groups=GROUPS)
    assert same(make_folds(CvSpec(folds=3, repeats=2, seed=9), data), expected)


def test_folds_by_time_are_time_series_split_of_the_sorted_rows():
    days = pd.Series(pd.date_range("2016-05-01", periods=20)).repeat(3).sample(frac=1, random_state=0)
    order = np.argsort(days.to_numpy(), kind="stable")
    expected = [(order[a], order[b]) for a, b in TimeSeriesSplit(4, gap=2).split(order)]
    cv = CvSpec(folds=4, by="time", gap=2, column="DAY")
    for column in (days.to_numpy(), days.dt.strftime("%Y-%m-%d").to_numpy(), days.astype("int64").to_numpy()):
        assert same(make_folds(cv, dataset(Y, CLASSES, fold_columns={"DAY": column})), expected)


def test_folds_by_time_without_a_column_follow_the_file():
    assert same(make_folds(CvSpec(folds=3, by="time"), dataset(Y, CLASSES)), TimeSeriesSplit(3).split(Y))


@pytest.mark.parametrize("as_text", [False, True])
def test_folds_of_ones_own_are_predefined_split(as_text):
    given = np.random.default_rng(2).integers(-1, 3, 60)
    column = given.astype(str).astype(object) if as_text else given
    folds = make_folds(CvSpec(column="FOLD"), dataset(Y, CLASSES, fold_columns={"FOLD": column}))
    assert same(folds, PredefinedSplit(given).split())
    assert all(set(np.flatnonzero(given == -1)) <= set(fold.train) for fold in folds)


def test_leaving_groups_is_leave_one_group_out():
    folds = make_folds(CvSpec(leave="group"), dataset(Y, CLASSES, groups=GROUPS))
    assert same(folds, LeaveOneGroupOut().split(Y, Y, GROUPS))


def test_any_splitter_may_be_named_and_sees_target_and_groups():
    given = {"class": "sklearn.model_selection.StratifiedShuffleSplit", "n_splits": 3, "random_state": 0}
    expected = StratifiedShuffleSplit(n_splits=3, random_state=0).split(Y, Y)
    assert same(make_folds(CvSpec.model_validate(given), dataset(Y, CLASSES)), expected)
    folds = make_folds(CvSpec.model_validate("sklearn.model_selection.GroupKFold"), dataset(Y, CLASSES, groups=GROUPS))
    assert same(folds, GroupKFold().split(Y, Y, GROUPS))


@pytest.mark.parametrize(
    ("cv", "more", "said"),
    [
        ({"leave": "group"}, {}, r"cv\.leave: there are no groups\. Name their column"),
        ({"leave": "group"}, {"groups": np.zeros(60)}, r"cv\.leave: all rows are of one group"),
        ({"column": "FOLD"}, {}, r"cv\.column: the data have no column 'FOLD'"),
        ({"column": "F"}, {"fold_columns": {"F": np.zeros(60)}}, "has the same value in every row"),
        ({"column": "F"}, {"fold_columns": {"F": np.full(60, 0.5)}}, "holds fractions"),
        ({"column": "F"}, {"fold_columns": {"F": np.full(60, -1)}}, "there are no folds"),
        ({"by": "time", "column": "D"}, {"fold_columns": {"D": np.array(["31.5.2016"] * 60)}}, "neither a number nor"),
        ({"by": "time"}, {"groups": GROUPS}, "cv: by: time makes the folds by itself and would break groups up"),
        ({"by": "time", "folds": 40, "gap": 30}, {}, r"cv: .* Split the rows differently"),
        ({"class": "sklearn.model_selection.GroupKFold"}, {}, "cv: The 'groups' parameter should not be None"),
    ],
)
def test_data_that_cannot_be_split_so_are_refused_in_one_line(cv, more, said):
    with pytest.raises(SpecError, match=said) as caught:
        make_folds(CvSpec.model_validate(cv), dataset(Y, CLASSES, **more))
    assert "\n" not in str(caught.value)


def test_the_share_tested_is_that_of_the_folds():
    assert share_tested(make_folds(CvSpec(folds=5), dataset(Y, CLASSES))) == pytest.approx(1 / 4)
    assert share_tested(make_folds(CvSpec(folds=5, repeats=3), dataset(Y, CLASSES))) == pytest.approx(1 / 4)
    split = {"class": "sklearn.model_selection.ShuffleSplit", "test_size": 0.1, "random_state": 0}
    assert share_tested(make_folds(CvSpec.model_validate(split), dataset(Y, CLASSES))) == pytest.approx(1 / 9)


def test_a_share_of_the_rows_keeps_every_class():
    y = np.array([0] * 3 + [1] * 57)
    fold = Fold(0, np.arange(60), np.arange(3))
    rows = fold.train_share(1 / 9, dataset(y, np.array(["rare", "common"])))
    assert set(y[rows]) == {0, 1}
    assert len(set(rows.tolist())) == len(rows) <= 8


def test_rows_of_several_targets_are_split_as_check_cv_splits_them():
    data = Dataset(np.zeros((40, 1)), np.column_stack([np.arange(40) % 2, np.arange(40) % 3]))
    ours = make_folds(CvSpec(folds=4, shuffle=False), data)
    assert same(ours, check_cv(4, data.y, classifier=True).split(data.X, data.y))
    share = ours[0].train_share(0.5, data)
    assert len(share) == 15
    assert set(share) <= set(ours[0].train)
