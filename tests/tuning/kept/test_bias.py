"""The corrected score is that of a winner on rows that had no part in its choice."""

from dataclasses import replace

import numpy as np
import pytest

from tests.tuning.kept.sweeps import BOOSTED, IDS, LINEAR, NUMBERS, RIDGE, THREE, TWO, Kept, X
from tuning import Dataset
from tuning.kept import bias
from tuning.kept.bias import corrected
from tuning.kept.choice import KeptSweep
from tuning.spec.refit import BEST
from tuning.spec.scoring import metrics_of

NOISE = {
    "estimator": "sklearn.ensemble.RandomForestClassifier",
    "fixed": {"n_estimators": 5},
    "grid": {"random_state": list(range(20))},
    "scoring": "accuracy",
    "cv": {"folds": 3},
}


def correction(kept, name=None, rule=BEST):
    (metric,) = metrics_of(name or kept.spec.refit_scorer)
    return corrected(KeptSweep(kept.file, kept.spec, kept.data), metric, rule)


def test_of_candidates_that_are_alike_the_winner_is_brought_back_to_them(tmp_path):
    """Labels are drawn, and forests differ in their seed alone: each is right half of the time on new rows."""
    drawn = np.random.default_rng(3).permutation(np.arange(60) % 2)
    kept = Kept(tmp_path, Dataset(X, drawn, np.array([0, 1])), NOISE)
    means = kept.result.means()
    found = correction(kept)
    assert found.candidates == 20
    assert kept.result.best_score - found.score > 0.05
    assert abs(found.score - means.mean()) < 0.05 < kept.result.best_score - means.mean()
    assert found.low < found.score < found.high


def test_a_single_candidate_has_nothing_to_be_corrected_of(tmp_path):
    kept = Kept(tmp_path, THREE, {**BOOSTED, "grid": {"max_depth": [2]}})
    assert correction(kept).score == pytest.approx(kept.result.best_score, abs=0.05)


@pytest.mark.parametrize(
    ("data", "written", "name", "asked"),
    [
        (THREE, BOOSTED, "neg_log_loss", {"scorer": "neg_log_loss", "labels": ["cat", "dog", "emu"]}),
        (TWO, LINEAR, "accuracy", {"scorer": "accuracy", "normalize": True}),
        (NUMBERS, RIDGE, "neg_mean_squared_error", {"scorer": "mean_squared_error", "multioutput": "uniform_average"}),
    ],
)
def test_products_of_matrices_come_to_what_the_scorer_says(data, written, name, asked, tmp_path, monkeypatch):
    monkeypatch.setattr(bias, "DRAWS", 25)
    monkeypatch.setattr(bias, "_DRAWS_BY_SCORER", 25)
    monkeypatch.setattr(bias, "_FEWEST", 25)
    kept = Kept(tmp_path, replace(data, sample_weight=1.0 + np.arange(60) % 3), written)
    quick, slow = correction(kept, name), correction(kept, [asked])
    assert (quick.score, quick.low, quick.high) == pytest.approx((slow.score, slow.low, slow.high), rel=1e-5)


def test_a_scorer_that_is_no_mean_is_asked_and_a_rule_is_followed(tmp_path, monkeypatch):
    monkeypatch.setattr(bias, "_DRAWS_BY_SCORER", 50)
    kept = Kept(tmp_path, TWO, LINEAR)
    found = correction(kept, "roc_auc")
    assert found.draws > 45
    assert found.score <= kept.result.best_score
    sizes = {"scorer": "roc_auc", "rule": "percent", "within": 90, "simplest": {"C": "low"}}
    lazy = Kept(tmp_path / "lazy", TWO, {**LINEAR, "refit": sizes})
    assert correction(lazy, "roc_auc", lazy.spec.rule).score != found.score


def test_rows_of_a_group_are_drawn_together(tmp_path):
    kept = Kept(tmp_path, replace(THREE, groups=IDS // 6), {**BOOSTED, "grid": {"max_depth": [1, 2]}})
    drawn = bias._draws(KeptSweep(kept.file, kept.spec, kept.data), 20)
    for group in np.unique(IDS // 6):
        assert (np.ptp(drawn[:, group == IDS // 6], axis=1) == 0).all()
    assert drawn.sum() == pytest.approx(20 * 60, rel=0.2)


def test_what_cannot_be_corrected_says_why(tmp_path, monkeypatch):
    winner = Kept(tmp_path / "a", THREE, BOOSTED, keep="winner")
    assert correction(winner) == "only the winner's predictions were kept (keep: predictions keeps all)"
    everything = Kept(tmp_path / "b", TWO, LINEAR)
    monkeypatch.setattr(bias, "_MOST_CALLS", 100)
    assert correction(everything, "roc_auc") == (
        "roc_auc is no mean over rows, and 2 candidates are too many to ask it for every draw"
    )
