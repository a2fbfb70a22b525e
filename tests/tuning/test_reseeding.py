"""The winner under other seeds scores what scikit-learn says that it does."""

from contextlib import nullcontext

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_score

from errors import SpecError
from tests.tuning.memories import JournalMemory
from tuning import Dataset, SweepSpec, open_engine, sweep
from tuning.kept.predictions import KeptPredictions
from tuning.learners.unfitted import seeds_of
from tuning.spec.estimators import make_estimator

FOREST = "sklearn.ensemble.RandomForestClassifier"


def rows():
    y = np.arange(90) % 3
    X = np.random.default_rng(0).normal(size=(90, 4)).astype(np.float32) + y[:, None]
    return Dataset(X, y, np.array(["a", "b", "c"]))


def swept(memory=None, predictions=None, **changes):
    given = {"scoring": "neg_log_loss", "cv": {"folds": 3}, "seeds": 2, **changes}
    with memory or nullcontext(), open_engine("local", 1) as engine:
        return sweep(SweepSpec(**given), rows(), engine, memory=memory, predictions=predictions)


def test_each_seed_scores_what_cross_validation_says():
    result = swept(estimator=FOREST, fixed={"random_state": 7}, grid={"n_estimators": [3, 5]})
    data = rows()
    expected = [
        cross_val_score(
            RandomForestClassifier(**result.best.params, random_state=seed),
            data.X,
            data.y,
            cv=StratifiedKFold(3, shuffle=True, random_state=0),
            scoring="neg_log_loss",
        ).mean()
        for seed in (8, 9)
    ]
    assert result.seed_means == pytest.approx(expected)
    assert result.seed_std == pytest.approx(np.std([result.best_score, *expected], ddof=1))


def test_rounds_that_the_folds_have_chosen_stay():
    result = swept(
        estimator="xgboost.XGBClassifier",
        fixed={"n_estimators": 30, "subsample": 0.5, "learning_rate": 0.5},
        grid={"max_depth": [1, 2]},
        early_stopping={"patience": 5},
    )
    assert len(set(result.seed_means)) == 2
    assert abs(result.seed_means[0] - result.best_score) < 0.5


def test_fits_under_seeds_are_known_to_the_next_sweep(tmp_path):
    forest = {"estimator": FOREST, "fixed": {"random_state": 7}, "grid": {"n_estimators": [3, 5]}}
    first = swept(before := JournalMemory(tmp_path), **forest)
    assert len(before.kept) == 2 * 3 + 2 * 3  # candidates and seeds, on three folds each
    more = swept(after := JournalMemory(tmp_path), **forest | {"seeds": 3})
    assert len(after.kept) == 3
    assert more.seed_means[:2] == first.seed_means
    swept(again := JournalMemory(tmp_path), **forest)
    assert not again.kept


def test_a_better_score_under_another_seed_takes_no_predictions_of_the_winner_away(tmp_path):
    predictions = KeptPredictions(tmp_path / "predictions")
    forest = {"estimator": FOREST, "fixed": {"random_state": 7}, "grid": {"n_estimators": [3]}}
    found = swept(JournalMemory(tmp_path), predictions, **forest, seeds=6)
    assert max(found.seed_means) > found.best_score
    assert all(predictions.has(score.cell) for score in found.fold_scores[found.best])


def test_seeds_of_a_sweep_that_stops_early_are_known_too(tmp_path):
    boosted = {
        "estimator": "xgboost.XGBClassifier",
        "fixed": {"n_estimators": 30, "subsample": 0.5, "learning_rate": 0.5},
        "grid": {"max_depth": [1]},
        "early_stopping": {"patience": 5},
    }
    means = [swept(memory, **boosted).seed_means for memory in (None, JournalMemory(tmp_path), JournalMemory(tmp_path))]
    assert means[0] == means[1] == means[2]


def test_an_estimator_without_random_numbers_is_refused():
    with pytest.raises(SpecError, match=r"^seeds: KNeighborsClassifier has no random_state"):
        SweepSpec(
            estimator="sklearn.neighbors.KNeighborsClassifier",
            grid={"n_neighbors": [1, 2]},
            scoring="accuracy",
            seeds=5,
        )


def test_seeds_of_parts_count_and_unset_ones_begin_at_nought():
    pipeline = make_estimator([{"few": "sklearn.decomposition.PCA"}, {"fit": {"class": FOREST, "random_state": 3}}], {})
    assert seeds_of(pipeline) == {"few__random_state": 0, "fit__random_state": 3}


def test_catboosts_own_seed_is_found():
    catboost = pytest.importorskip("catboost")
    assert seeds_of(catboost.CatBoostClassifier()) == {"random_seed": 0}
    assert seeds_of(catboost.CatBoostClassifier(random_seed=4)) == {"random_seed": 4}
