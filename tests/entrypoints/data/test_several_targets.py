"""Several columns are predicted at once: scores equal GridSearchCV's, and the model names its columns."""

import importlib
import sys
from pathlib import Path

import mlflow.pyfunc
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import xgboost as xgb
import yaml
from catboost import CatBoostRegressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

import tuning
from entrypoints.data.own import own_rows
from entrypoints.parameters import SweepParams
from entrypoints.sweep import sweep
from errors import GridfoldError

ROWS = 120
NUMBERS, FLAGS, WORDS = "y,y2", "f,f2", "w,w2"
MULTI_OUTPUT = "sklearn.multioutput.MultiOutput"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def mixed() -> pd.DataFrame:
    """Two columns of each kind of target that the features explain in part, the second otherwise than the first."""
    draw = np.random.default_rng(0)
    X = draw.normal(size=(ROWS, 4)).round(3)
    one, two = X[:, 0] + draw.normal(0, 0.5, ROWS), X[:, 1] * X[:, 2] + draw.normal(0, 0.3, ROWS)
    return pd.DataFrame(X, columns=list("abcd")).assign(
        y=one.round(3),
        y2=two.round(3),
        f=(one > 0).astype(int),
        f2=(two > 0.3).astype(int),
        w=np.where(one > 0.5, "top", np.where(one > -0.5, "mid", "low")),
        w2=np.where(two > 0, "yes", "no"),
        house=np.arange(ROWS) // 4,
    )


def columns_of(target: str, *others: str) -> pd.DataFrame:
    return mixed()[[*"abcd", *target.split(","), *others]]


def rows_of(target: str, asked: dict, *others: str, **params: object):
    columns_of(target, *others).to_csv("mine.csv", index=False)
    spec = tuning.SweepSpec(**{"cv": {"folds": 3, "seed": 1}, **asked})
    return own_rows(SweepParams(**{"features": "mine.csv", "target": target, "holdout": 0.2} | params), spec)


def swept(spec, rows) -> tuning.SweepResult:
    with tuning.open_engine("local", 2) as engine:
        result = tuning.sweep(spec, rows.train, engine)
    assert not result.failed, result.failed
    return result


AGREEMENT = "shares_of_words.agreement"


@pytest.fixture
def agreement(tmp_path, monkeypatch):
    """The share of labels that are right, which no scorer of scikit-learn's tells for several columns of words."""
    module, _, name = AGREEMENT.partition(".")
    code = f"def {name}(y, predicted):\n    return float((y == predicted).mean())\n"
    (tmp_path / f"{module}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    yield getattr(importlib.import_module(module), name)
    del sys.modules[module]


def largest_difference(spec, rows, estimator, grid, scoring, cv=None) -> float:
    ours = swept(spec, rows)
    cv = cv or KFold(3, shuffle=True, random_state=1)
    search = GridSearchCV(estimator, grid, scoring=scoring, cv=cv, refit=False, error_score="raise")
    search.fit(rows.train.X, rows.train.y, groups=rows.train.groups)
    theirs = np.array([search.cv_results_[f"split{k}_test_score"] for k in range(3)]).T
    assert len(np.unique(theirs)) > 1
    return float(np.abs(ours.split_scores() - theirs).max())


FOREST = {"n_estimators": [3, 6], "ccp_alpha": [0.0, 0.02]}
ROUNDS = {"n_estimators": [3, 8], "max_depth": [2]}
XGB = {"random_state": 0, "n_jobs": 1}
OF_WORDS = {"agreement": {"function": AGREEMENT, "greater_is_better": True}}
CASES = {
    "forest": ("ensemble.RandomForestRegressor", {"random_state": 0}, FOREST, RandomForestRegressor, "r2"),
    "tree": (
        "tree.DecisionTreeRegressor",
        {"random_state": 0},
        {"ccp_alpha": [0.0, 0.05]},
        DecisionTreeRegressor,
        "r2",
    ),
    "ridge": ("linear_model.Ridge", {}, {"alpha": [0.1, 10.0]}, Ridge, "neg_mean_absolute_error"),
    "neighbours": ("neighbors.KNeighborsRegressor", {}, {"n_neighbors": [2, 5]}, KNeighborsRegressor, "r2"),
    "xgboost": ("xgboost.XGBRegressor", XGB, ROUNDS, xgb.XGBRegressor, "r2"),
    "xgboost exact": ("xgboost.XGBRegressor", {**XGB, "tree_method": "exact"}, ROUNDS, xgb.XGBRegressor, "r2"),
    "xgboost trees of vectors": (
        "xgboost.XGBRegressor",
        {**XGB, "multi_strategy": "multi_output_tree", "subsample": 0.7},
        ROUNDS,
        xgb.XGBRegressor,
        "r2",
    ),
    "catboost": (
        "catboost.CatBoostRegressor",
        {"loss_function": "MultiRMSE", "learning_rate": 0.3, "random_seed": 0, "allow_writing_files": False},
        {"iterations": [3, 6], "depth": [2]},
        CatBoostRegressor,
        "r2",
    ),
    "forest of flags": (
        "ensemble.RandomForestClassifier",
        {"random_state": 0},
        FOREST,
        RandomForestClassifier,
        "roc_auc",
    ),
    "neighbours of flags": (
        "neighbors.KNeighborsClassifier",
        {},
        {"n_neighbors": [2, 5]},
        KNeighborsClassifier,
        "f1_macro",
    ),
    "xgboost of flags": ("xgboost.XGBClassifier", XGB, ROUNDS, xgb.XGBClassifier, "f1_macro"),
    "forest of words": (
        "ensemble.RandomForestClassifier",
        {"random_state": 0},
        FOREST,
        RandomForestClassifier,
        AGREEMENT,
    ),
    "neighbours of words": (
        "neighbors.KNeighborsClassifier",
        {"algorithm": "brute"},
        {"n_neighbors": [2, 5]},
        KNeighborsClassifier,
        AGREEMENT,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_scores_equal_grid_search(case, agreement):
    path, fixed, grid, kind, scorer = CASES[case]
    path = path if path.startswith(("xgboost", "catboost")) else f"sklearn.{path}"
    target = FLAGS if case.endswith("flags") else WORDS if case.endswith("words") else NUMBERS
    asked = {"estimator": path, "fixed": fixed, "grid": grid, "scoring": scorer}
    if scorer == AGREEMENT:
        asked["scoring"] = OF_WORDS
        scorer = make_scorer(agreement)
    spec, rows = rows_of(target, asked)
    quiet = {"verbose": False, "thread_count": 1} if case == "catboost" else {}
    assert rows.train.y.shape == (96, 2)
    assert largest_difference(spec, rows, kind(**fixed, **quiet), grid, scorer) <= (1e-6 if "xgb" in path else 1e-12)


@pytest.mark.parametrize(
    ("target", "of", "inner", "scoring"),
    [
        (NUMBERS, "Regressor", "xgboost.XGBRegressor", "r2"),
        (FLAGS, "Classifier", "sklearn.linear_model.LogisticRegression", "f1_macro"),
    ],
)
def test_one_estimator_for_each_column_equals_grid_search(target, of, inner, scoring):
    kinds = {"xgboost.XGBRegressor": xgb.XGBRegressor(n_estimators=4, n_jobs=1)}
    one = kinds.get(inner, LogisticRegression())
    options = {"n_estimators": 4} if inner in kinds else {}
    name = "max_depth" if inner in kinds else "C"
    grid = {f"estimator__{name}": [1, 3]}
    asked = {
        "estimator": {"class": f"{MULTI_OUTPUT}{of}", "estimator": {"class": inner, **options}},
        "grid": grid,
        "scoring": scoring,
    }
    spec, rows = rows_of(target, asked)
    kind = MultiOutputRegressor if of == "Regressor" else MultiOutputClassifier
    assert largest_difference(spec, rows, kind(one), grid, scoring) <= 1e-6


def test_steps_and_groups_equal_grid_search():
    asked = {
        "estimator": [{"scale": "sklearn.preprocessing.StandardScaler"}, {"model": "sklearn.linear_model.Ridge"}],
        "grid": {"model__alpha": [0.1, 10.0]},
        "scoring": "r2",
    }
    spec, rows = rows_of(NUMBERS, asked, "house", groups="house")
    assert not set(rows.train.groups) & set(rows.holdout.groups)
    peer = Pipeline([("scale", StandardScaler()), ("model", Ridge())])
    folds = GroupKFold(3, shuffle=True, random_state=1)
    assert largest_difference(spec, rows, peer, asked["grid"], "r2", folds) <= 1e-12


RIDGE = {"estimator": "sklearn.linear_model.Ridge", "grid": {"alpha": [0.1, 10.0]}, "scoring": "r2"}
TREES = {
    "estimator": "sklearn.ensemble.RandomForestClassifier",
    "fixed": {"n_estimators": 4, "random_state": 0},
    "grid": {"max_depth": [2, 3]},
    "scoring": "f1_macro",
}


def test_beside_a_sparse_matrix_the_columns_are_in_the_table_of_labels():
    frame = columns_of(NUMBERS)
    sp.save_npz("mine.npz", sp.csr_matrix(frame[list("abcd")].to_numpy()))
    frame.to_csv("labels.csv", index=False)
    asked = tuning.SweepSpec(**{**RIDGE, "cv": {"folds": 3}})
    _, rows = own_rows(SweepParams(features="mine.npz", target="labels.csv:y2, y", holdout=0), asked)
    np.testing.assert_array_equal(rows.train.y, frame[["y2", "y"]])
    assert list(rows.targets) == ["y2", "y"]


def test_a_column_with_a_comma_in_its_name_is_one_column():
    columns_of(NUMBERS).rename(columns={"y": "y,y2", "y2": "z"}).to_csv("mine.csv", index=False)
    spec = tuning.SweepSpec(**{**RIDGE, "cv": {"folds": 3}})
    _, rows = own_rows(SweepParams(features="mine.csv", target="y,y2", holdout=0), spec)
    assert rows.train.y.shape == (ROWS,)
    assert "z" in rows.train.columns


def arguments(asked: dict, target: str) -> list[str]:
    columns_of(target).to_csv("mine.csv", index=False)
    Path("space.yaml").write_text(yaml.safe_dump({"cv": {"folds": 3}, **asked}))
    return ["--space=space.yaml", "--features=mine.csv", f"--target={target}"]


BOOSTER = {**RIDGE, "estimator": "xgboost.XGBRegressor", "grid": {"n_estimators": [3, 6]}}
VECTORS = {**BOOSTER, "fixed": {"multi_strategy": "multi_output_tree"}}


@pytest.mark.parametrize(
    ("asked", "target"),
    [(RIDGE, NUMBERS), (BOOSTER, NUMBERS), (VECTORS, NUMBERS), (TREES, FLAGS)],
    ids=["ridge", "xgboost", "trees of vectors", "flags"],
)
def test_the_registered_model_predicts_its_columns_by_name(workplace, capsys, asked, target):
    assert sweep(arguments(asked, target)) == 0, capsys.readouterr().err
    model = mlflow.pyfunc.load_model("models:/mine@challenger")
    assert [column.name for column in model.metadata.get_output_schema()] == target.split(",")
    file = pd.read_csv("mine.csv")
    predicted = model.predict(file)
    assert list(predicted.columns) == target.split(",")
    assert len(predicted) == ROWS
    for name in target.split(","):
        assert np.corrcoef(predicted[name], file[name])[0, 1] > (0.2 if name == "f2" else 0.0)
    assert workplace.newest_sweep().info.status == "FINISHED"


def test_words_are_predicted_as_they_are_in_the_file(workplace, agreement):
    assert sweep(arguments({**TREES, "scoring": OF_WORDS}, WORDS)) == 0
    file = pd.read_csv("mine.csv")
    predicted = mlflow.pyfunc.load_model("models:/mine@challenger").predict(file)
    assert list(predicted.columns) == ["w", "w2"]
    assert (predicted == file[["w", "w2"]]).mean().min() > 0.6


def test_a_scorer_of_one_column_of_classes_is_refused_with_what_to_do(workplace, capsys):
    assert sweep(arguments({**TREES, "scoring": "accuracy"}, WORDS)) == 1
    assert capsys.readouterr().err.splitlines() == [
        "space.yaml: scoring: accuracy cannot judge this target of 2 columns (multiclass-multioutput is not "
        "supported). Use one that takes several columns, or a function of your own: NAME: {function: mine.score}."
    ]


LOGISTIC = {**TREES, "estimator": "sklearn.linear_model.LogisticRegression", "fixed": {}, "grid": {"C": [1.0]}}
GRADIENT = {**RIDGE, "estimator": "sklearn.ensemble.GradientBoostingRegressor", "grid": {"max_depth": [2]}}
LIGHTGBM = {**RIDGE, "estimator": "lightgbm.LGBMRegressor", "grid": {"max_depth": [2]}}
STOPPED = {**BOOSTER, "grid": {"max_depth": [2]}, "early_stopping": {"patience": 3}}


@pytest.mark.parametrize(
    ("asked", "target", "said"),
    [
        (RIDGE, "y,y", "-P target=y,y: column 'y' is named twice. Name each column once."),
        (RIDGE, "y,z2", "-P target=y,z2: mine.csv has no column 'z2'."),
        (RIDGE, "y,", "-P target=y,: mine.csv has no column ''."),
        (RIDGE, "y,w2", "target 'w2' holds values such as "),
        (TREES, "f,w2", "targets 'f' and 'w2' hold labels of different kinds, such as "),
        (LOGISTIC, FLAGS, "-P target=f,f2: LogisticRegression does not learn these 2 columns at once ("),
        (GRADIENT, NUMBERS, "-P target=y,y2: GradientBoostingRegressor does not learn these 2 columns at once ("),
        (LIGHTGBM, NUMBERS, "-P target=y,y2: LGBMRegressor does not learn these 2 columns at once ("),
        (STOPPED, NUMBERS, "early_stopping: rounds can be chosen for one target, not for 2 (y, y2). Remove the key"),
        ({**TREES, "scoring": "f1"}, FLAGS, "scoring: f1 cannot judge this target of 2 columns (Target is multilabel"),
        (
            {**BOOSTER, "estimator": "xgboost.XGBClassifier", "scoring": "roc_auc"},
            FLAGS,
            "scoring: roc_auc cannot judge what XGBClassifier predicts of 2 columns (Expected 2D array",
        ),
        (
            {**BOOSTER, "estimator": {"class": f"{MULTI_OUTPUT}Classifier", "estimator": "xgboost.XGBClassifier"}}
            | {"grid": {"estimator__max_depth": [2]}, "scoring": OF_WORDS},
            WORDS,
            "-P target=w,w2: MultiOutputClassifier cannot learn these 2 columns (Invalid classes inferred",
        ),
        ({**TREES, "cv": {"class": "sklearn.model_selection.StratifiedKFold"}}, FLAGS, "cv: Supported target types"),
    ],
)
def test_what_does_not_go_with_several_columns_is_one_line_before_the_first_fit(asked, target, said, agreement):
    mixed().to_csv("mine.csv", index=False)
    spec = tuning.SweepSpec(**{"cv": {"folds": 3}, **asked})
    with pytest.raises(GridfoldError) as refusal:
        tuning.make_folds(spec.cv, own_rows(SweepParams(features="mine.csv", target=target), spec)[1].train)
    assert str(refusal.value).startswith(said)
    assert "\n" not in str(refusal.value)
    if "at once" in said:
        kind = "Classifier" if target == FLAGS else "Regressor"
        assert f"sklearn.multioutput.MultiOutput{kind}" in str(refusal.value)
