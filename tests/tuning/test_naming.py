"""Names that a person can tell apart."""

import pickle

import pytest

from tuning.candidates import Candidate
from tuning.naming import Names, estimator_name, short_value
from tuning.results.fold_score import FoldScore
from tuning.spec.space import Space
from tuning.spec.sweep_spec import SweepSpec


def named(names, **params):
    return names.named(Candidate(params)).name


def test_a_name_is_the_number_and_what_varies_in_the_order_of_the_spec():
    names = Names.of(Space({"rate": [0.1, 0.05], "depth": [3, 4], "seed": [0]}), 40)
    assert named(names, depth=3, seed=0, rate=0.1) == "#01 rate=0.1 depth=3"
    assert named(names, depth=4, seed=0, rate=0.05) == "#02 rate=0.05 depth=4"


def test_a_candidate_keeps_its_first_name():
    names = Names.of(Space({"depth": [3, 4]}), 2)
    assert [named(names, depth=depth) for depth in (4, 3, 4)] == ["#1 depth=4", "#2 depth=3", "#1 depth=4"]


def test_steps_are_left_out_of_names_that_stay_different_without_them():
    names = Names.of(Space({"model__C": [1, 2], "a__k": [1, 2], "b__k": [1, 2]}), None)
    assert named(names, model__C=1, a__k=2, b__k=1) == "#1 C=1 a__k=2 b__k=1"


def test_a_parameter_of_one_grid_among_several_is_named_where_it_is():
    names = Names.of(Space([{"kernel": ["linear"]}, {"kernel": ["rbf"], "gamma": [0.5]}]), 2)
    assert named(names, kernel="linear") == "#1 kernel=linear"
    assert named(names, kernel="rbf", gamma=0.5) == "#2 kernel=rbf gamma=0.5"


def test_fractions_have_four_digits_and_more_only_where_these_do_not_tell_them_apart():
    assert named(Names([{}], ["rate"]), rate=0.0725123456) == "#1 rate=0.07251"
    close = Names([{"rate": [1.000001, 1.000002]}])
    assert [named(close, rate=rate) for rate in (1.000001, 1.000002)] == ["#1 rate=1.000001", "#2 rate=1.000002"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1e-5, "1e-5"),
        (1e5, "1e5"),
        (2.0, "2"),
        (None, "None"),
        ({"class": "sklearn.svm.SVC", "C": 1}, "SVC(C=1)"),
        ("a\nb", "a b"),
        ("x" * 40, "x" * 27 + "…"),
    ],
)
def test_values_in_few_characters(value, words):
    assert short_value(value) == words


def test_a_name_travels_and_is_no_part_of_what_a_candidate_is():
    names = Names.of(Space({"depth": [3, 4]}), 2)
    candidate = names.named(Candidate({"depth": 3}))
    there_and_back = pickle.loads(pickle.dumps(candidate))
    assert (there_and_back.name, there_and_back) == ("#1 depth=3", Candidate({"depth": 3}))
    (score,) = names.on([FoldScore(Candidate({"depth": 3}), 0)])
    assert score.candidate.name == "#1 depth=3"


def test_a_pipeline_is_named_by_its_steps_and_one_that_treats_columns_apart_in_a_word():
    apart = {"columns": [{"columns": ["town"], "do": "sklearn.preprocessing.OneHotEncoder"}]}
    asked = {
        "estimator": [{"prepare": apart}, {"model": "sklearn.linear_model.LogisticRegression"}],
        "grid": {"model__C": [1.0, 2.0]},
        "scoring": "accuracy",
    }
    assert estimator_name(SweepSpec.model_validate(asked)) == "columns → LogisticRegression"
