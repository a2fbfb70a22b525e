"""What is asked of an estimator before it is fitted, asked of all of scikit-learn's."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.ensemble import AdaBoostClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import all_estimators
from xgboost import XGBClassifier

from tuning.learners.unfitted import deep_params, holds_xgboost


def constructible():
    for _, kind in all_estimators():
        try:
            yield kind()
        except TypeError:  # it wants other estimators
            continue


def test_parameters_are_those_that_get_params_gives():
    made = list(constructible())
    assert len(made) > 100
    for estimator in made:
        assert deep_params(estimator) == estimator.get_params(deep=True), estimator


@pytest.mark.parametrize("depth", [3, np.int64(3)])
def test_of_a_fitted_tree_too(depth):
    tree = DecisionTreeClassifier(max_depth=depth).fit([[0], [1]], [0, 1])
    assert deep_params(tree) == tree.get_params(deep=True)


def test_what_is_below_is_found():
    within = make_pipeline(StandardScaler(), AdaBoostClassifier(DecisionTreeClassifier(max_depth=2)))
    assert deep_params(within) == within.get_params(deep=True)
    assert deep_params(within)["adaboostclassifier__estimator__max_depth"] == 2
    assert holds_xgboost(make_pipeline(StandardScaler(), XGBClassifier()))
    assert not holds_xgboost(within)


def test_a_users_own_class_may_keep_them_elsewhere():
    class Own(BaseEstimator):
        def __init__(self, depth=3):
            self.hidden_ = depth

        def get_params(self, deep=True):
            return {"depth": self.hidden_}

    assert deep_params(Own(5)) == {"depth": 5}
