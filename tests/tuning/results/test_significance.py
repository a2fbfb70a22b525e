"""The note says in one sentence how many others the winner is shown to beat, and names a simpler model that will do."""

from dataclasses import replace

import pytest

from tests.tracking.outcomes import SPEC, outcome
from tuning.results.significance import beaten, difference_columns, verdict

FOLDS = [-2.25, -2.33, -2.29, -2.27, -2.31]  # folds differ far more than candidates
SPEC5 = SPEC.model_copy(update={"cv": SPEC.cv.model_copy(update={"folds": 5})})


def shifted(by):
    return [score + each for score, each in zip(FOLDS, by, strict=True)]


def result(**rows):
    names = {"best": (400, 3), "near": (300, 3), "far": (300, 4), "farther": (400, 4)}
    return outcome(SPEC5, {names[name]: scores for name, scores in rows.items()})


NEAR = shifted([-0.01, 0.008, -0.01, 0.008, -0.004])
FAR = shifted([-0.006, -0.0061, -0.0059, -0.006, -0.006])


def test_a_clear_winner_is_called_clear_though_its_folds_spread():
    said = verdict(result(best=FOLDS, far=FAR))
    assert said.startswith("It is better than all others (the next is behind by 0.00600, 95% interval 0.00")
    assert "the spread of ±0.02828 is between folds" in said


def test_those_that_the_folds_do_not_tell_apart_are_counted():
    assert "**not shown to be better** than 1 of the 2 others" in verdict(result(best=FOLDS, near=NEAR, far=FAR))
    assert "**not shown to be better** than the only other candidate" in verdict(result(best=FOLDS, near=NEAR))


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({"far": FAR}, "better than the only other"),
        ({"near": NEAR}, "not shown to be better than the only other"),
        ({"far": FAR, "farther": FAR}, "better than all 2 others"),
        ({"near": NEAR, "far": NEAR}, "not shown to be better than any of 2 others"),
        ({"near": NEAR, "far": FAR, "farther": FAR}, "better than 2 of 3 others"),
    ],
)
def test_the_same_in_a_few_words(others, said):
    assert beaten(result(best=FOLDS, **others)) == f"{said} (95% paired interval)"


def test_a_winner_without_others_is_better_than_nobody():
    assert beaten(result(best=FOLDS)) == ""


def test_a_simpler_model_within_one_standard_error_is_named():
    sized = replace(result(best=FOLDS, near=NEAR), sizes=[400.0, 300.0])
    assert "**Simplest within one standard error** `max_depth=3 n_estimators=300`: -2.29160." in verdict(sized)


def test_without_another_candidate_there_is_nothing_to_compare():
    assert verdict(result(best=FOLDS)) == "There is no other candidate to compare it with."


def test_the_table_has_the_difference_and_its_interval_for_each_other_candidate():
    columns = difference_columns(result(best=FOLDS, far=FAR))
    assert columns["best_minus_this"][0] is None
    assert columns["best_minus_this"][1] == pytest.approx(0.006)
    assert columns["best_minus_this_low"][1] < 0.006 < columns["best_minus_this_high"][1]
