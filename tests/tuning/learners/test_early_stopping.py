"""Rounds are chosen over all folds at once, and the scores at that number are those of a plain fit of that length."""

import numpy as np
import pytest
import xgboost as xgb
from sklearn.datasets import make_classification, make_regression
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold

from tuning import Dataset, SweepSpec, open_engine, refit, sweep
from tuning.learners.curves import best_rounds

FIXED = {"random_state": 0, "n_estimators": 60, "learning_rate": 0.5}


def problem(n_classes):
    X, y = make_classification(300, 12, n_informative=5, n_classes=n_classes, flip_y=0.2, random_state=1)
    return Dataset(X.astype(np.float32), y, np.unique(y))


def result_of(data, estimator="xgboost.XGBClassifier", scoring="neg_log_loss", patience=60, **changes):
    spec = SweepSpec(
        estimator=estimator,
        fixed={**FIXED, **changes},
        grid={"max_depth": [2, 3]},
        scoring=scoring,
        cv={"folds": 3},
        early_stopping={"patience": patience},
    )
    with open_engine("local", 2) as engine:
        return spec, sweep(spec, data, engine)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_with_patience_for_all_rounds_the_choice_is_that_of_a_grid_over_every_number(n_classes):
    data = problem(n_classes)
    _, ours = result_of(data)
    search = GridSearchCV(
        xgb.XGBClassifier(n_jobs=1, **FIXED),
        {"max_depth": [2, 3], "n_estimators": list(range(1, 41))},
        scoring="neg_log_loss",
        cv=StratifiedKFold(3, shuffle=True, random_state=0),
        refit=False,
    ).fit(data.X, data.y)
    table = search.cv_results_
    best = int(np.argmax(table["mean_test_score"]))
    assert ours.best.params == {"max_depth": table["params"][best]["max_depth"]}
    assert ours.rounds[ours.best] == table["params"][best]["n_estimators"]
    theirs = [table[f"split{k}_test_score"][best] for k in range(3)]
    assert np.abs(ours.split_scores()[ours.best_index] - theirs).max() <= 1e-6


def test_regression_by_another_scorer():
    X, y = make_regression(200, 8, noise=40.0, random_state=0)
    X = X.astype(np.float32)
    _, ours = result_of(Dataset(X, y), "xgboost.XGBRegressor", "r2", patience=5)
    rounds = ours.rounds[ours.best]
    model = xgb.XGBRegressor(**{**FIXED, **ours.best.params, "n_estimators": rounds}, n_jobs=1)
    for (train, test), score in zip(
        KFold(3, shuffle=True, random_state=0).split(X), ours.split_scores()[ours.best_index], strict=True
    ):
        assert model.fit(X[train], y[train]).score(X[test], y[test]) == pytest.approx(score, abs=1e-6)


def test_patience_ends_training_long_before_the_last_round():
    _, ours = result_of(problem(3), n_estimators=5000, patience=5)
    lengths = [len(score.curves["neg_log_loss"]) for scores in ours.fold_scores.values() for score in scores]
    assert max(lengths) < 200


def test_the_number_is_chosen_from_the_mean_curve_not_per_fold():
    assert best_rounds([[0.0, 0.3, 0.2], [0.0, 0.1, 0.25]]) == 3
    assert best_rounds([[0.0, 0.3, 0.2, 9.0], [0.0, 0.3, 0.25]]) == 2, "only rounds that all folds have count"


def test_the_refit_uses_the_chosen_number():
    data = problem(3)
    spec, ours = result_of(data)
    fitted = refit(spec, ours.best, data, cores=1, rounds=ours.rounds[ours.best])
    assert fitted.get_booster().num_boosted_rounds() == ours.rounds[ours.best]


def test_the_table_names_the_rounds():
    _, ours = result_of(problem(2))
    assert ours.cv_results()["rounds"] == [ours.rounds[c] for c in ours.candidates]
