"""Folds are scikit-learn's, and never more than the data can bear."""

import numpy as np
import pytest
from sklearn.model_selection import KFold, StratifiedKFold

from errors import SpecError
from tuning import Dataset, make_folds
from tuning.spec.sweep_spec import CvSpec


def dataset(y, classes=None):
    return Dataset(np.zeros((len(y), 1)), np.asarray(y), classes)


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


def test_more_folds_than_the_smallest_class_has_rows_are_refused():
    with pytest.raises(
        SpecError, match=r"cv\.folds: 5 folds, but class 'F23-' has only 3 training rows\. Use at most 3"
    ):
        make_folds(CvSpec(folds=5), dataset([0] * 3 + [1] * 20, np.array(["F23-", "M22-"])))


def test_a_class_of_one_row_needs_more_data_not_fewer_folds():
    with pytest.raises(SpecError, match=r"has only 1 training rows\. Use more data"):
        make_folds(CvSpec(folds=2), dataset([0] + [1] * 20, np.array(["a", "b"])))


def test_more_folds_than_rows_are_refused_in_regression():
    with pytest.raises(SpecError, match="there are only 3 training rows"):
        make_folds(CvSpec(folds=5), dataset([1.0, 2.0, 3.0]))
