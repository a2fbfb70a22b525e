"""The closing lines say what won, what was checked, and why others failed."""

import numpy as np
import pytest

from entrypoints.results.summary import summary
from tests.tracking.outcomes import SPEC, outcome
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


FOLDS, NEAR, FAR = [-2.25, -2.33], [-2.26, -2.322], [-2.256, -2.3361]  # FAR is behind by the same on each fold


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({}, "no other candidate to compare it with"),
        ({(300, 3): NEAR}, "not shown to be better than the only other (95% paired interval)"),
        ({(300, 3): FAR}, "better than the only other (95% paired interval)"),
        ({(300, 3): NEAR, (400, 4): FAR}, "better than 1 of 2 others (95% paired interval)"),
        ({(300, 3): NEAR, (400, 4): NEAR}, "not shown to be better than any of 2 others (95% paired interval)"),
        ({(300, 3): FAR, (400, 4): FAR}, "better than all 2 others (95% paired interval)"),
    ],
)
def test_the_verdict_counts_the_candidates_that_the_winner_is_shown_to_beat(others, said):
    spec = SPEC.model_copy(update={"cv": SPEC.cv.model_copy(update={"folds": 2})})
    rows = dict(summary(outcome(spec, {(400, 3): FOLDS, **others}), {}, None))
    assert rows["verdict"] == said
