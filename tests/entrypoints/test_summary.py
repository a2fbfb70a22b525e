"""The closing lines say what won, what was checked, and why others failed."""

import numpy as np

from entrypoints.summary import summary
from tuning import Dataset, SweepSpec, open_engine, sweep


def swept(**changes):
    y = np.arange(60) % 2
    data = Dataset(np.random.default_rng(0).normal(size=(60, 3)) + y[:, None], y, np.array(["no", "yes"]))
    spec = {
        "estimator": "sklearn.ensemble.RandomForestClassifier",
        "fixed": {"random_state": 0},
        "grid": {"n_estimators": [2, 5]},
        "scoring": "accuracy",
        "cv": {"folds": 2},
    }
    with open_engine("local", 1) as engine:
        return sweep(SweepSpec(**spec | changes), data, engine)


def test_fits_that_were_repeated_alone_are_counted_with_their_largest_difference():
    rows = summary(swept(verify=3), {}, None)
    assert rows[-2:] == [("verified", "3 fits repeated alone, largest difference 0"), ("model", "none")]


def test_all_that_failed_is_explained_by_a_message_and_its_number():
    rows = summary(swept(estimator="xgboost.XGBClassifier", grid={"tree_method": ["hist", "bad1", "bad2"]}), {}, None)
    place = rows.index(("failed", "2 of 3 candidates"))
    label, text = rows[place + 1]
    assert label == ""
    assert "bad1" in text
    assert text.endswith("(2 candidates)")
    assert rows[place + 2][0] == "model"
