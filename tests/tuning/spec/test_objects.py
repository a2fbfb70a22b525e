"""One way to write an object, wherever a value may stand."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import AdaBoostClassifier, StackingClassifier
from sklearn.feature_selection import chi2
from sklearn.gaussian_process.kernels import RBF, Sum
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, KFold
from sklearn.tree import DecisionTreeClassifier

from errors import SpecError
from tuning.spec.objects import build, build_parameter, describe

LOGISTIC = "sklearn.linear_model.LogisticRegression"
TREE = "sklearn.tree.DecisionTreeClassifier"


def test_an_object_is_a_class_with_parameters_nested_at_will():
    built = build(
        {
            "class": "sklearn.ensemble.StackingClassifier",
            "estimators": [["tree", {"class": TREE, "max_depth": 2}], ["logistic", LOGISTIC]],
            "final_estimator": {"class": "sklearn.ensemble.AdaBoostClassifier", "estimator": TREE},
            "cv": {"class": "sklearn.model_selection.KFold", "n_splits": 3},
        }
    )
    assert isinstance(built, StackingClassifier)
    assert [name for name, _ in built.estimators] == ["tree", "logistic"]
    assert built.estimators[0][1].max_depth == 2
    assert isinstance(built.final_estimator, AdaBoostClassifier)
    assert isinstance(built.final_estimator.estimator, DecisionTreeClassifier)
    assert isinstance(built.cv, KFold)


def test_each_call_builds_anew():
    assert build({"class": LOGISTIC}) is not build({"class": LOGISTIC})


def test_kernels_and_splitters_are_objects_too():
    kernel = build(
        {
            "class": "sklearn.gaussian_process.kernels.Sum",
            "k1": {"class": "sklearn.gaussian_process.kernels.RBF", "length_scale": 2.0},
            "k2": "sklearn.gaussian_process.kernels.WhiteKernel",
        }
    )
    assert isinstance(kernel, Sum)
    assert kernel.k1 == RBF(2.0)
    assert isinstance(build({"class": "sklearn.model_selection.GroupKFold"}), GroupKFold)


def test_functions_and_tuples_stand_for_themselves():
    assert build({"function": "sklearn.feature_selection.chi2"}) is chi2
    assert build({"function": "numpy.log1p"}) is np.log1p
    assert build([{"tuple": [25, 75]}, {"tuple": [10, 90]}]) == [(25, 75), (10, 90)]


@pytest.mark.parametrize(
    "plain",
    [{1: 20, 2: 1}, {"a": 1}, {"class": 3, "other": 1}, {"tuple": 5}, {"function": 2, "class": 1}, [1, [2]], "a.b.c"],
)
def test_a_plain_value_stays_what_it_is(plain):
    assert build(plain) == plain


def test_a_bare_path_is_an_object_only_where_one_is_expected():
    assert build_parameter("estimator", TREE).__class__ is DecisionTreeClassifier
    assert build_parameter("model__estimator", TREE).__class__ is DecisionTreeClassifier
    assert build_parameter("anything", TREE, default=LogisticRegression()).__class__ is DecisionTreeClassifier
    assert build_parameter("metric", TREE) == TREE


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"class": TREE, "max_dept": 2}, "max_dept: DecisionTreeClassifier has no parameter 'max_dept'. Did you mean"),
        ({"class": TREE, "max_depth": "two"}, "max_depth: The 'max_depth' parameter of DecisionTreeClassifier must be"),
        (
            {"class": "sklearn.preprocessing.RobustScaler", "quantile_range": [25, 75]},
            "Got [25, 75] instead. Write {tuple: [25, 75]}.",
        ),
        (
            {"class": "sklearn.feature_selection.SelectKBest", "score_func": "chi2"},
            "Write {function: sklearn.feature_selection.chi2}, a dotted path.",
        ),
        ({"class": "sklearn.model_selection.LeavePOut"}, "LeavePOut cannot be built without 'p'"),
        (
            {"class": "sklearn.ensemble.VotingClassifier", "estimators": [TREE]},
            f"estimators.0: expected [name, object], got '{TREE}'.",
        ),
        ({"class": "sklearn.tree.DecisionTreeClasifier"}, "Did you mean 'DecisionTreeClassifier'?"),
        ([1, {"class": "os.system"}], "1: 'os.system' may not be named"),
    ],
)
def test_a_mistake_names_its_place_and_what_to_write(written, said):
    with pytest.raises(SpecError) as caught:
        build(written)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_all_mistakes_of_an_object_are_said_at_once():
    with pytest.raises(SpecError) as caught:
        build({"class": TREE, "max_dept": 2, "criterion": {"class": "no.such"}, "min_samples_leaf": -1})
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == [
        "max_dept",
        "criterion",
        "min_samples_leaf",
    ]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"class": LOGISTIC, "C": 1}, "LogisticRegression(C=1)"),
        (TREE, "DecisionTreeClassifier"),
        ({"function": "sklearn.feature_selection.chi2"}, "chi2"),
        ({"tuple": [25, 75]}, "(25, 75)"),
        ({1: 20}, "{1: 20}"),
        ("passthrough", "passthrough"),
        (None, "None"),
        (0.1, "0.1"),
        ([1, "a"], "[1, 'a']"),
    ],
)
def test_a_value_has_a_short_name(value, words):
    assert describe(value) == words


def test_a_long_name_is_cut():
    long = describe({"class": LOGISTIC, "C": 1, "max_iter": 1000, "class_weight": "balanced"})
    assert len(long) == 40
    assert long.startswith("LogisticRegression(C=1, max_iter=1000")
    assert long.endswith("…")


def test_a_class_of_the_users_own_needs_no_base_class(tmp_path, monkeypatch):
    Path(tmp_path / "own_splits.py").write_text(
        "class Halves:\n    def __init__(self, seed=0):\n        self.seed = seed\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert build({"class": "own_splits.Halves", "seed": 3}).seed == 3
