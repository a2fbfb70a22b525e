"""Sweeps side by side: the best first, by a scorer that all have, fold by fold where the folds agree."""

import pandas as pd
import pytest

from errors import GridfoldError
from tuning.results.side_by_side import Swept, side_by_side

ROWS = [{"C": 1.0, "fit_intercept": True}, {"C": 10.0, "fit_intercept": True}]


def swept(label, *splits, scorer="accuracy", ending=None, best=0, params=ROWS, **more):
    """A sweep of two candidates; `splits` are each one's scores by fold."""
    ending = scorer if ending is None else ending
    table = pd.DataFrame({"param_C": [each["C"] for each in params], "mean_fit_time": 2.0, "mean_score_time": 0.5})
    for fold in range(len(splits[0])):
        table[f"split{fold}_test_{ending}"] = [row[fold] for row in splits]
    table[f"mean_test_{ending}"] = [sum(row) / len(row) for row in splits]
    facts = {"title": label, "target": "target y", "folds": "folds 1", "test_share": 0.5, "seconds": 1.0, **more}
    return Swept(label, f"run-{label}", scorer=scorer, table=table, params=params, best=best, **facts)


GOOD = [[0.8, 0.9, 0.7], [0.6, 0.7, 0.5]]
BETTER = [[0.85, 0.96, 0.74], [0.6, 0.7, 0.5]]


def test_the_best_comes_first_and_the_others_are_so_much_behind():
    both = side_by_side([swept("A", *GOOD), swept("B", *BETTER)])
    assert [each.label for each in both.sweeps] == ["B", "A"]
    assert both.behind["A"].mean == pytest.approx(0.05)
    assert both.behind["A"].low < 0.05 < both.behind["A"].high
    assert both.why_not == {}


def test_a_winner_without_a_score_comes_last():
    none = [[float("nan")] * 3, [0.1, 0.1, 0.1]]
    assert [each.label for each in side_by_side([swept("A", *none), swept("B", *GOOD)]).sweeps] == ["B", "A"]


@pytest.mark.parametrize(
    ("folds", "said"),
    [("folds 2", "its folds are not those of B"), ("", "the run of A does not say which folds it had")],
)
def test_other_folds_are_not_paired(folds, said):
    both = side_by_side([swept("A", *GOOD, folds=folds), swept("B", *BETTER)])
    assert (both.behind, both.why_not) == ({}, {"A": said})
    assert both.shared[0].difference is None


def test_they_are_compared_by_the_first_ones_scorer_where_the_others_have_it():
    first, second = swept("A", *GOOD, scorer="accuracy"), swept("B", *GOOD, scorer="f1_macro")
    second.table["mean_test_accuracy"] = 0.9
    for fold in range(3):
        second.table[f"split{fold}_test_accuracy"] = 0.9
    both = side_by_side([first, second])
    assert both.scorer == "accuracy"
    assert both.sweeps[0] is second


def test_a_table_with_one_unnamed_scorer_has_the_name_of_the_spec():
    unnamed = swept("A", *GOOD, ending="score")
    assert unnamed.scorers == ["accuracy"]
    assert unnamed.splits("accuracy").tolist() == GOOD[0]
    assert unnamed.splits("accuracy", 1).tolist() == GOOD[1]
    assert side_by_side([unnamed, swept("B", *BETTER)]).scorer == "accuracy"


def test_folds_are_in_the_order_of_their_numbers():
    many = swept("A", [fold / 100 for fold in range(12)], [0.0] * 12)
    assert many.splits("accuracy").tolist() == [fold / 100 for fold in range(12)]


def test_without_a_scorer_in_common_nothing_is_said():
    with pytest.raises(GridfoldError, match=r"no scorer is in all of them \(run-A has accuracy; run-B has r2\)"):
        side_by_side([swept("A", *GOOD), swept("B", *GOOD, scorer="r2")])


def test_other_targets_are_refused():
    with pytest.raises(GridfoldError, match="run-A predicts target y, run-B predicts target z"):
        side_by_side([swept("A", *GOOD), swept("B", *GOOD, target="target z")])


def test_candidates_in_both_are_counted_with_their_largest_difference():
    turned = swept("B", BETTER[1], BETTER[0], best=1, params=ROWS[::-1])
    shared = side_by_side([swept("A", *GOOD), turned]).shared[0]
    assert (shared.candidates, shared.difference) == (2, pytest.approx(0.06))
    other = swept("B", *BETTER, about={"spec": {"estimator": "another"}})
    assert side_by_side([swept("A", *GOOD), other]).shared[0].candidates == 0


def test_only_what_differs_is_listed():
    first = swept("A", *GOOD, about={"spec": {"cv": "3 folds", "scoring": "accuracy"}, "code": {"commit": "abc"}})
    second = swept("B", *GOOD, about={"spec": {"cv": "5 folds", "scoring": "accuracy"}})
    assert side_by_side([first, second]).differs == {
        ("spec", "cv"): {"A": "3 folds", "B": "5 folds"},
        ("code", "commit"): {"A": "abc", "B": ""},
    }


def test_the_winner_is_named_by_what_varies_and_time_is_that_of_all_fits():
    assert swept("A", *GOOD, best=1).name == "C=10"
    assert swept("A", *GOOD).fit_seconds == 2 * 3 * 2.5
