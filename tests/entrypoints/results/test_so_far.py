"""The best of an interrupted sweep is a score that a model has."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from entrypoints.results.so_far import SoFar
from tests.tracking.outcomes import SPEC
from tuning.candidates import Candidate
from tuning.results.fold_score import FoldScore

SCORER = SPEC.refit_scorer


@pytest.fixture
def so_far():
    observer = SoFar(SimpleNamespace(last_words=[]))
    observer.started(SPEC, 2, 2)
    return observer


def test_only_candidates_of_every_fold_and_all_rows_count(so_far):
    whole, part = Candidate({"max_depth": 1}), Candidate({"max_depth": 2})
    so_far.scored([FoldScore(part, 0, {SCORER: -0.1}), FoldScore(part, 1, {SCORER: -0.1}, share=0.5)])
    assert so_far.words() == ("best", "no candidate has been judged on every fold")
    so_far.scored([FoldScore(whole, k, {SCORER: -0.25 * (k + 1)}) for k in (0, 1)])
    assert so_far.words() == ("best", f"{whole.name}, {SCORER} -0.37500 (of 1 judged on every fold)")


def test_with_early_stopping_it_is_the_mean_at_the_round_that_the_folds_choose_together(so_far):
    candidate = Candidate({"max_depth": 1})
    curves = [[-0.5, -0.3, -0.9], [-0.9, -0.5, -0.2]]  # each at its best: -0.3 and -0.2, in different rounds
    so_far.scored([FoldScore(candidate, k, {SCORER: max(c)}, curves={SCORER: c}) for k, c in enumerate(curves)])
    assert f"{SCORER} -0.40000" in so_far.words()[1]
