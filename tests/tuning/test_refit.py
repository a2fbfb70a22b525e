"""The refitted winner is what its estimator's own fit makes of all training rows."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from sklearn.ensemble import RandomForestClassifier

from tuning import Candidate, Dataset, SweepSpec, refit


def rows():
    y = np.arange(90) % 3
    X = np.random.default_rng(0).normal(size=(90, 4)).astype(np.float32) + y[:, None]
    return Dataset(X, y, np.array(["a", "b", "c"]), sample_weight=np.linspace(0.5, 2, 90))


def test_a_booster_equals_a_plain_fit_with_the_same_weights():
    spec = SweepSpec(
        estimator="xgboost.XGBClassifier", fixed={"random_state": 0}, grid={"max_depth": [2]}, scoring="accuracy"
    )
    data = rows()
    ours = refit(spec, Candidate({"max_depth": 2, "n_estimators": 5}), data, cores=2)
    plain = xgb.XGBClassifier(random_state=0, max_depth=2, n_estimators=5, n_jobs=1)
    plain.fit(data.X, data.y, sample_weight=data.sample_weight)
    assert np.allclose(ours.predict_proba(data.X), plain.predict_proba(data.X), atol=1e-6)


def test_no_thread_count_of_this_machine_stays_in_the_model():
    spec = SweepSpec(estimator="xgboost.XGBClassifier", grid={"max_depth": [2]}, scoring="accuracy")
    assert refit(spec, Candidate({"n_estimators": 2}), rows(), cores=2).n_jobs is None


@pytest.mark.parametrize(
    "given", [{"eval_metric": ["mlogloss", "merror"]}, {"monotone_constraints": {"a": 1}}], ids=["list", "dict"]
)
@pytest.mark.parametrize("steps", [False, True], ids=["alone", "in steps"])
def test_parameters_that_a_fitted_booster_would_not_take_are_no_hindrance(given, steps):
    name, prefix = "xgboost.XGBClassifier", "model__" if steps else ""
    fixed = {f"{prefix}{key}": value for key, value in {"n_estimators": 3, "random_state": 0, **given}.items()}
    path = [{"none": "sklearn.preprocessing.FunctionTransformer"}, {"model": name}] if steps else name
    spec = SweepSpec(estimator=path, fixed=fixed, grid={f"{prefix}max_depth": [2]}, scoring="accuracy")
    data = replace(rows(), X=pd.DataFrame(rows().X, columns=list("abcd")), sample_weight=None)
    ours = refit(spec, Candidate({f"{prefix}max_depth": 2}), data, cores=2)
    plain = xgb.XGBClassifier(n_estimators=3, random_state=0, max_depth=2, n_jobs=1, **given).fit(data.X, data.y)
    np.testing.assert_allclose(ours.predict_proba(data.X), plain.predict_proba(data.X), atol=1e-6)


def test_scikit_learn_estimators_too():
    spec = SweepSpec(
        estimator="sklearn.ensemble.RandomForestClassifier",
        fixed={"random_state": 0, "n_jobs": 1},
        grid={"max_depth": [2]},
        scoring="accuracy",
    )
    data = rows()
    ours = refit(spec, Candidate({"max_depth": 3}), data, cores=2)
    plain = RandomForestClassifier(random_state=0, max_depth=3).fit(data.X, data.y, data.sample_weight)
    assert np.array_equal(ours.predict_proba(data.X), plain.predict_proba(data.X))
    assert ours.n_jobs == 1
