"""Sweeps that need the whole language have the split scores of scikit-learn's own GridSearchCV."""

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.datasets import make_classification
from sklearn.ensemble import AdaBoostClassifier, StackingClassifier
from sklearn.feature_selection import SelectKBest, chi2, f_classif
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, RobustScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import yaml12
from tuning import Dataset, SweepSpec, make_folds, open_engine, sweep

X, Y = make_classification(n_samples=90, n_features=5, n_informative=3, random_state=0)
TABLE = pd.DataFrame(X, columns=[*"abcde"]).assign(
    kind=pd.Series(np.where(X[:, 0] > 0, "high", "low")).astype("category")
)
CV = "scoring: roc_auc\ncv: {folds: 3, seed: 0}\n"


def scores_of(text: str, rows) -> np.ndarray:
    data = Dataset(rows, Y, np.array(["no", "yes"]))
    spec = SweepSpec.model_validate(yaml12.read(text + CV))
    with open_engine("local", 1) as engine:
        result = sweep(spec, data, engine)
    assert not result.failed
    return result.split_scores()


def expected(estimator, grid, rows, text) -> np.ndarray:
    spec = SweepSpec.model_validate(yaml12.read(text + CV))
    folds = [(fold.train, fold.test) for fold in make_folds(spec.cv, Dataset(rows, Y, np.array(["no", "yes"])))]
    table = GridSearchCV(estimator, grid, scoring="roc_auc", cv=folds, refit=False).fit(rows, Y).cv_results_
    return np.column_stack([table[f"split{place}_test_score"] for place in range(len(folds))])


def steps(scale):
    return Pipeline([("scale", scale), ("model", LogisticRegression())])


CASES = {
    "nested estimator": (
        """
estimator: {class: sklearn.ensemble.AdaBoostClassifier, estimator: sklearn.tree.DecisionTreeClassifier}
fixed: {n_estimators: 5, random_state: 0, estimator__random_state: 0}
grid: {estimator__max_depth: [1, 2]}
""",
        AdaBoostClassifier(DecisionTreeClassifier(random_state=0), n_estimators=5, random_state=0),
        {"estimator__max_depth": [1, 2]},
    ),
    "nested in what is fixed": (
        """
estimator: sklearn.calibration.CalibratedClassifierCV
fixed: {estimator: sklearn.linear_model.LogisticRegression, cv: 2}
grid: {estimator__C: [1e-3, 1]}
""",
        CalibratedClassifierCV(LogisticRegression(), cv=2),
        {"estimator__C": [0.001, 1]},
    ),
    "stacking": (
        """
estimator:
  class: sklearn.ensemble.StackingClassifier
  estimators:
    - [tree, {class: sklearn.tree.DecisionTreeClassifier, max_depth: 2, random_state: 0}]
    - [logistic, sklearn.linear_model.LogisticRegression]
grid: {cv: [2, {class: sklearn.model_selection.KFold, n_splits: 3}], tree__max_depth: [1, 2]}
""",
        StackingClassifier(
            [("tree", DecisionTreeClassifier(max_depth=2, random_state=0)), ("logistic", LogisticRegression())]
        ),
        {"cv": [2, KFold(3)], "tree__max_depth": [1, 2]},
    ),
    "functions": (
        """
estimator:
  - positive: sklearn.preprocessing.MinMaxScaler
  - pick: {class: sklearn.feature_selection.SelectKBest, k: 2}
  - model: sklearn.linear_model.LogisticRegression
grid:
  pick__score_func: [{function: sklearn.feature_selection.chi2}, {function: sklearn.feature_selection.f_classif}]
""",
        Pipeline([("positive", MinMaxScaler()), ("pick", SelectKBest(k=2)), ("model", LogisticRegression())]),
        {"pick__score_func": [chi2, f_classif]},
    ),
    "steps to choose among": (
        """
estimator:
  - scale: sklearn.preprocessing.StandardScaler
  - model: sklearn.linear_model.LogisticRegression
grid:
  scale: [passthrough, sklearn.preprocessing.MinMaxScaler]
  model: [{class: sklearn.linear_model.LogisticRegression, max_iter: 200}, sklearn.linear_model.LogisticRegression]
  model__C: [0.1, 1]
""",
        steps(StandardScaler()),
        {
            "scale": ["passthrough", MinMaxScaler()],
            "model": [LogisticRegression(max_iter=200), LogisticRegression()],
            "model__C": [0.1, 1],
        },
    ),
    "tuples": (
        """
estimator: [{scale: sklearn.preprocessing.RobustScaler}, {model: sklearn.linear_model.LogisticRegression}]
grid: {scale__quantile_range: [{tuple: [25, 75]}, {tuple: [10, 90]}]}
""",
        steps(RobustScaler()),
        {"scale__quantile_range": [(25, 75), (10, 90)]},
    ),
    "weights by label": (
        """
estimator: sklearn.linear_model.LogisticRegression
grid: {class_weight: [null, {no: 5, yes: 1}]}
""",
        LogisticRegression(),
        {"class_weight": [None, {0: 5, 1: 1}]},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_split_scores_equal_grid_search_cv(name):
    text, estimator, grid = CASES[name]
    np.testing.assert_array_equal(scores_of(text, X), expected(estimator, grid, X, text))


def test_columns_are_treated_apart_as_by_a_column_transformer():
    text = """
estimator:
  - prepare:
      columns:
        - {columns: [a, b], do: sklearn.preprocessing.StandardScaler}
        - {columns: {dtype: text}, do: [{fill: {class: sklearn.impute.SimpleImputer, strategy: most_frequent}},
                                        {encode: sklearn.preprocessing.OneHotEncoder}]}
        - {columns: rest, do: passthrough}
  - model: sklearn.linear_model.LogisticRegression
grid: {prepare__standardscaler__with_mean: [true, false], model__C: [0.1, 1]}
"""
    text_steps = Pipeline([("fill", SimpleImputer(strategy="most_frequent")), ("encode", OneHotEncoder())])
    prepare = ColumnTransformer(
        [
            ("standardscaler", StandardScaler(), ["a", "b"]),
            ("pipeline", text_steps, make_column_selector(dtype_include=["category"])),
        ],
        remainder="passthrough",
    )
    estimator = Pipeline([("prepare", prepare), ("model", LogisticRegression())])
    grid = {"prepare__standardscaler__with_mean": [True, False], "model__C": [0.1, 1]}
    np.testing.assert_array_equal(scores_of(text, TABLE), expected(estimator, grid, TABLE, text))


def test_steps_that_resample_rows_make_imbalanced_learns_pipeline():
    imblearn = pytest.importorskip("imblearn")
    text = """
estimator:
  - smote: {class: imblearn.over_sampling.SMOTE, random_state: 0}
  - model: sklearn.linear_model.LogisticRegression
grid: {smote__k_neighbors: [3, 5], model__C: [0.1, 1]}
"""
    estimator = imblearn.pipeline.Pipeline(
        [("smote", imblearn.over_sampling.SMOTE(random_state=0)), ("model", LogisticRegression())]
    )
    grid = {"smote__k_neighbors": [3, 5], "model__C": [0.1, 1]}
    np.testing.assert_array_equal(scores_of(text, X), expected(estimator, grid, X, text))


def test_a_step_that_resamples_may_be_one_of_the_choices():
    imblearn = pytest.importorskip("imblearn")
    text = """
estimator: [{balance: passthrough}, {model: sklearn.linear_model.LogisticRegression}]
grid: {balance: [passthrough, {class: imblearn.under_sampling.RandomUnderSampler, random_state: 0}]}
"""
    sampler = imblearn.under_sampling.RandomUnderSampler(random_state=0)
    estimator = imblearn.pipeline.Pipeline([("balance", "passthrough"), ("model", LogisticRegression())])
    grid = {"balance": ["passthrough", sampler]}
    np.testing.assert_array_equal(scores_of(text, X), expected(estimator, grid, X, text))
