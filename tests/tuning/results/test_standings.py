"""The table that fills: one score a fold, that of the largest share."""

import pytest

from tuning import Candidate, FoldScore
from tuning.results.standings import Standings

ONE, OTHER = Candidate({"C": 1.0}), Candidate({"C": 2.0})


def table(*scores):
    filled = Standings()
    filled.expect([OTHER, ONE])
    filled.add(scores)
    return filled


@pytest.mark.parametrize(("shares", "stays"), [([0.5, 1.0], 1), ([1.0, 0.5], 0), ([0.5, 0.5], 1), ([0.25, 0.5], 1)])
def test_of_several_on_one_fold_the_largest_share_stays_and_of_equals_the_last(shares, stays):
    scores = [FoldScore(ONE, 0, {"r2": place}, share=share) for place, share in enumerate(shares)]
    assert table(*scores).fold_scores()[ONE] == [scores[stays]]


def test_candidates_stand_as_they_were_proposed_and_their_scores_by_fold():
    late, early = FoldScore(ONE, 2, {"r2": 0.2}), FoldScore(ONE, 0, {"r2": 0.1})
    filled = table(late, early)
    assert filled.candidates == [OTHER, ONE]
    assert filled.fold_scores() == {OTHER: [], ONE: [early, late]}


def stopped(fold, *curve):
    return FoldScore(ONE, fold, {"r2": max(curve)}, curves={"r2": curve})


def test_folds_that_stop_early_are_taken_at_the_round_that_they_choose_together():
    filled = table(stopped(0, 0.1, 0.5, 0.2), stopped(1, 0.6, 0.5, 0.1)).settled()
    assert [score.scores["r2"] for score in filled.fold_scores()[ONE]] == [0.5, 0.5]
    assert filled.rounds == {ONE: 2}
    assert filled.candidates == [OTHER, ONE]


def test_a_fold_that_failed_chooses_nothing_and_its_candidate_has_no_rounds():
    failed = FoldScore(ONE, 1, error="ValueError: no")
    filled = table(stopped(0, 0.1, 0.5, 0.2), failed).settled()
    assert [score.scores.get("r2") for score in filled.fold_scores()[ONE]] == [0.5, None]
    assert filled.rounds == {}


def test_without_curves_nothing_is_changed():
    plain = FoldScore(ONE, 0, {"r2": 0.3})
    assert table(plain).settled().fold_scores()[ONE] == [plain]
