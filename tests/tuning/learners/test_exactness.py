"""Every split score equals GridSearchCV's on the same folds, whatever the plan shares."""

import numpy as np
import pytest
import scipy.sparse as sp
import xgboost as xgb
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.utils.class_weight import compute_sample_weight

from tuning import Dataset, SweepSpec, open_engine, sweep

ROUNDS = {"n_estimators": [4, 9, 6]}


def classes_of(n_classes, n_rows=240):
    X, y = make_classification(n_rows, 12, n_informative=8, n_classes=n_classes, n_clusters_per_class=1, random_state=0)
    return X.astype(np.float32), y


def largest_difference(estimator, fixed, grid, data, scoring="neg_log_loss"):
    """Sweep and GridSearchCV on the same folds; the largest difference in any split score."""
    kind = type(estimator)
    path = f"{'xgboost' if kind.__module__.startswith('xgboost') else kind.__module__}.{kind.__name__}"
    spec = SweepSpec(estimator=path, fixed=fixed, grid=grid, scoring=scoring, cv={"folds": 3, "seed": 1})
    with open_engine("local", 2) as engine:
        ours = sweep(spec, data, engine)
    assert not ours.failed
    splitter = StratifiedKFold if data.classes is not None else KFold
    search = GridSearchCV(
        estimator.set_params(**fixed), grid, scoring=scoring, cv=splitter(3, shuffle=True, random_state=1), refit=False
    )
    weights = {} if data.sample_weight is None else {"sample_weight": data.sample_weight}
    search.fit(data.X, data.y, **weights)
    theirs = np.array([search.cv_results_[f"split{k}_test_score"] for k in range(3)]).T
    assert np.isfinite(theirs).all()
    assert len(np.unique(theirs)) > 1
    return np.abs(ours.split_scores() - theirs).max()


@pytest.mark.parametrize("n_classes", [2, 12])
@pytest.mark.parametrize(
    "fixed",
    [
        {},
        {"tree_method": "hist", "max_bin": 16},
        {"tree_method": "approx"},
        {"tree_method": "exact"},
        {"booster": "dart", "rate_drop": 0.5},
        {"booster": "gblinear", "updater": "coord_descent"},
        {"subsample": 0.6, "colsample_bytree": 0.5, "colsample_bylevel": 0.5, "colsample_bynode": 0.7},
        {"grow_policy": "lossguide", "max_leaves": 5},
        {"num_parallel_tree": 3, "subsample": 0.5},
        {"gamma": 0.5, "reg_lambda": 3.0, "reg_alpha": 0.1, "min_child_weight": 2},
    ],
    ids=lambda fixed: " ".join(f"{name}={value}" for name, value in fixed.items()) or "defaults",
)
def test_xgboost_classifiers(fixed, n_classes):
    X, y = classes_of(n_classes)
    data = Dataset(X, y, np.unique(y))
    grid = ROUNDS if fixed.get("booster") == "gblinear" else {**ROUNDS, "max_depth": [2, 3]}
    difference = largest_difference(xgb.XGBClassifier(n_jobs=1), {"random_state": 3, **fixed}, grid, data)
    assert difference <= 1e-6


@pytest.mark.parametrize("layout", [sp.csr_matrix, sp.csr_array])
def test_sparse_rows(layout):
    X, y = classes_of(12)
    data = Dataset(layout(np.where(X > 0, X, 0)), y, np.unique(y))
    assert largest_difference(xgb.XGBClassifier(n_jobs=1), {"random_state": 0}, ROUNDS, data) <= 1e-6


def test_missing_values():
    X, y = classes_of(3)
    data = Dataset(np.where(X > 1, np.nan, X), y, np.unique(y))
    assert largest_difference(xgb.XGBClassifier(n_jobs=1), {"random_state": 0}, ROUNDS, data) <= 1e-6


@pytest.mark.parametrize("name", ["max_bin", "missing"])
def test_parameters_that_change_the_matrix_may_vary_in_the_grid(name):
    X, y = classes_of(3)
    data = Dataset(np.round(X), y, np.unique(y))
    grid = {**ROUNDS, name: {"max_bin": [4, 16, 256], "missing": [0.0, 1.0]}[name]}
    assert largest_difference(xgb.XGBClassifier(n_jobs=1), {"random_state": 0}, grid, data) <= 1e-6


def test_rows_weighed_by_class():
    X, y = classes_of(4)
    data = Dataset(X, y, np.unique(y), sample_weight=compute_sample_weight("balanced", np.where(y == 1, 0, y)))
    assert largest_difference(xgb.XGBClassifier(n_jobs=1), {"random_state": 0}, ROUNDS, data) <= 1e-6


def test_positive_class_weighed_by_parameter():
    X, y = classes_of(2)
    data, grid = Dataset(X, y, np.unique(y)), {**ROUNDS, "scale_pos_weight": [0.5, 4.0]}
    assert largest_difference(xgb.XGBClassifier(n_jobs=1), {"random_state": 0}, grid, data) <= 1e-6


@pytest.mark.parametrize("scoring", ["accuracy", "f1_macro", "roc_auc_ovr", "neg_brier_score"])
def test_other_scorers(scoring):
    X, y = classes_of(2)
    data = Dataset(X, y, np.unique(y))
    assert largest_difference(xgb.XGBClassifier(n_jobs=1), {"random_state": 0}, ROUNDS, data, scoring) <= 1e-6


@pytest.mark.parametrize(
    "fixed",
    [
        {},
        {"objective": "reg:absoluteerror"},
        {"objective": "count:poisson"},
        {"objective": "reg:quantileerror", "quantile_alpha": 0.4},
        {"objective": "reg:gamma", "subsample": 0.7},
    ],
    ids=lambda fixed: fixed.get("objective", "squared error"),
)
def test_xgboost_regressors(fixed):
    X, y = make_regression(240, 10, n_informative=6, noise=3.0, random_state=0)
    data = Dataset(X.astype(np.float32), np.abs(y).astype(np.float32) / 100 + 0.1)
    grid = {**ROUNDS, "max_depth": [2, 3]}
    difference = largest_difference(
        xgb.XGBRegressor(n_jobs=1), {"random_state": 3, **fixed}, grid, data, "neg_mean_absolute_error"
    )
    assert difference <= 1e-6


def test_random_forests_of_xgboost():
    X, y = classes_of(3)
    data = Dataset(X, y, np.unique(y))
    assert largest_difference(xgb.XGBRFClassifier(n_jobs=1), {"random_state": 0}, ROUNDS, data) <= 1e-6


@pytest.mark.parametrize(
    ("estimator", "fixed", "grid"),
    [
        (LogisticRegression(), {"max_iter": 300, "class_weight": "balanced"}, {"C": [0.1, 1.0]}),
        (RandomForestClassifier(), {"random_state": 0}, {"n_estimators": [3, 6], "max_depth": [2, None]}),
    ],
    ids=["logistic", "forest"],
)
@pytest.mark.parametrize("layout", [np.asarray, sp.csr_matrix])
def test_scikit_learn_classifiers(estimator, fixed, grid, layout):
    X, y = classes_of(3)
    data = Dataset(layout(X), y, np.unique(y))
    assert largest_difference(estimator, fixed, grid, data) <= 1e-12


def test_scikit_learn_regressors():
    X, y = make_regression(120, 6, noise=3.0, random_state=0)
    assert largest_difference(Ridge(), {}, {"alpha": [0.1, 10.0]}, Dataset(X, y), "r2") <= 1e-12


def test_sharing_dart_would_be_noticed(monkeypatch):
    """The claim that the tests above hold: were dart shared, its scores would differ by far more than the bound."""
    monkeypatch.setattr("tuning.learners.xgboost._shares_rounds", lambda estimator: True)
    X, y = classes_of(3)
    fixed = {"booster": "dart", "rate_drop": 0.5, "random_state": 0}
    difference = largest_difference(xgb.XGBClassifier(n_jobs=1), fixed, ROUNDS, Dataset(X, y, np.unique(y)))
    assert difference > 1e-3


def test_cuts_over_all_rows_would_be_noticed(monkeypatch):
    """Quantiles over training and test rows together would leak, and shift scores beyond the bound."""
    whole = {}

    def make(estimator, rows_X, rows_y, weight):
        reference = whole.setdefault("cuts", xgb.QuantileDMatrix(X, max_bin=8))
        return xgb.QuantileDMatrix(rows_X, rows_y, ref=reference, max_bin=8)

    monkeypatch.setattr("tuning.learners.xgboost.training_matrix", make)
    X, y = classes_of(3)
    fixed = {"max_bin": 8, "random_state": 0}
    difference = largest_difference(xgb.XGBClassifier(n_jobs=1), fixed, ROUNDS, Dataset(X, y, np.unique(y)))
    assert difference > 1e-4
