"""The closing lines say what won and what was checked."""

import numpy as np

from entrypoints.summary import summary
from tuning import Dataset, SweepSpec, open_engine, sweep


def test_fits_that_were_repeated_alone_are_counted_with_their_largest_difference():
    y = np.arange(60) % 2
    data = Dataset(np.random.default_rng(0).normal(size=(60, 3)) + y[:, None], y, np.array(["no", "yes"]))
    spec = SweepSpec(
        estimator="sklearn.ensemble.RandomForestClassifier",
        fixed={"random_state": 0},
        grid={"n_estimators": [2, 5]},
        scoring="accuracy",
        cv={"folds": 2},
        verify=3,
    )
    with open_engine("local", 1) as engine:
        lines = summary(sweep(spec, data, engine), {}, None, "here").splitlines()
    assert lines[-3:] == ["verified 3 fits repeated alone, largest difference 0", "model    none", "look     here"]
