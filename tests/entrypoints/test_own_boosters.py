"""LightGBM and CatBoost on a table of one's own: categories as they are, any names, a model for the file's rows."""

import json
from pathlib import Path

import catboost as cb
import lightgbm as lgb
import mlflow.pyfunc
import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
import yaml
from sklearn.model_selection import GridSearchCV, StratifiedKFold

import tuning
from entrypoints.data.own import own_rows
from entrypoints.parameters import SweepParams
from entrypoints.sweep import sweep
from errors import SpecError

SPEC = {"scoring": "neg_log_loss", "cv": {"folds": 3, "seed": 1}}
LIGHTGBM = {
    **SPEC,
    "estimator": "lightgbm.LGBMClassifier",
    "fixed": {"random_state": 0, "verbose": -1, "min_child_samples": 5},
    "grid": {"n_estimators": [3, 8], "num_leaves": [3, 7]},
}
CATBOOST = {
    **SPEC,
    "estimator": "catboost.CatBoostClassifier",
    "fixed": {"random_seed": 0, "verbose": 0, "learning_rate": 0.3},
    "grid": {"iterations": [3, 8], "depth": [2, 3]},
}
XGBOOST = {
    **SPEC,
    "estimator": "xgboost.XGBClassifier",
    "fixed": {"random_state": 0},
    "grid": {"n_estimators": [2, 5]},
}
LINEAR = {**XGBOOST, "fixed": {"booster": "gblinear", "updater": "coord_descent", "feature_selector": "cyclic"}}


def strange(gaps: bool = False) -> pd.DataFrame:
    """Names and categories with every character that some library does not take."""
    draw = np.random.default_rng(0)
    place = draw.choice(['Paris, FR "75"', "Lyon [69]", "{Nice: 06}", "a<b"], 150)
    age = draw.normal(size=150)
    rich = np.where(age + (place == "Lyon [69]") + draw.normal(0, 0.3, 150) > 0.3, "yes", "no")
    frame = pd.DataFrame({"age [years]": age, "age {years}": draw.normal(size=150), "a b": age**2, "the: city": place})
    return frame.assign(rich=rich, **({"the: city": frame["the: city"].where(draw.random(150) > 0.1)} if gaps else {}))


@pytest.fixture
def mine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    strange().to_parquet("mine.parquet")
    strange(gaps=True).to_parquet("gaps.parquet")


def rows_of(spec, features="mine.parquet"):
    return own_rows(SweepParams(features=features, target="rich", holdout=0.0), tuning.SweepSpec(**spec))


@pytest.mark.parametrize(
    ("spec", "features", "estimator"),
    [
        (LIGHTGBM, "mine.parquet", lgb.LGBMClassifier(n_jobs=1)),
        (LIGHTGBM, "gaps.parquet", lgb.LGBMClassifier(n_jobs=1)),
        (CATBOOST, "mine.parquet", cb.CatBoostClassifier(allow_writing_files=False, cat_features=("the: city",))),
        (XGBOOST, "gaps.parquet", xgb.XGBClassifier(n_jobs=1, enable_categorical=True)),
    ],
    ids=["lightgbm", "lightgbm with gaps", "catboost", "xgboost with gaps"],
)
def test_categories_are_taken_as_they_are_and_scores_are_those_of_grid_search(mine, spec, features, estimator):
    told, rows = rows_of(spec, features)
    with tuning.open_engine("local", 2) as engine:
        ours = tuning.sweep(told, rows.train, engine)
    assert not ours.failed
    X = pd.read_parquet(features).drop(columns="rich").astype({"the: city": "category"})
    if "CatBoost" not in spec["estimator"]:
        X.columns = list("pqrs")
    search = GridSearchCV(
        estimator.set_params(**spec["fixed"]),
        spec["grid"],
        scoring="neg_log_loss",
        cv=StratifiedKFold(3, shuffle=True, random_state=1),
        refit=False,
    )
    y = rows.train.y if "xgboost" in spec["estimator"] else rows.train.labels
    table = search.fit(X, y).cv_results_
    theirs = np.array([table[f"split{k}_test_score"] for k in range(3)]).T
    assert np.isfinite(theirs).all()
    by_params = {
        json.dumps(params, sort_keys=True): scores for params, scores in zip(table["params"], theirs, strict=True)
    }
    for candidate, scores in zip(ours.candidates, ours.split_scores(), strict=True):
        expected = by_params[json.dumps(dict(candidate.params), sort_keys=True)]
        assert np.abs(scores - expected).max() <= (1e-6 if "xgboost" in spec["estimator"] else 0.0)


def test_gaps_among_categories_are_refused_for_catboost_alone(mine):
    with pytest.raises(SpecError, match="column 'the: city' has missing values, which CatBoostClassifier"):
        rows_of(CATBOOST, "gaps.parquet")


@pytest.mark.parametrize("spec", [LIGHTGBM, CATBOOST, LINEAR], ids=["lightgbm", "catboost", "xgboost, one-hot"])
def test_the_registered_model_takes_the_rows_of_the_file(workplace, spec):
    strange().to_csv("mine.csv", index=False)
    Path("mine.yaml").write_text(yaml.safe_dump(spec))
    asked = ["--features", "mine.csv", "--target", "rich", "--space", "mine.yaml", "--cores", "2"]
    assert sweep(asked) == 0
    model = mlflow.pyfunc.load_model("models:/mine@challenger")
    frame = pd.read_csv("mine.csv")
    predicted = model.predict(frame.drop(columns="rich"))
    assert list(predicted.columns) == ["no", "yes"]
    assert ((predicted["yes"] > 0.5) == (frame["rich"] == "yes")).mean() > 0.75
    folder = Path(mlflow.artifacts.download_artifacts("models:/mine@challenger"))
    needs = (folder / "requirements.txt").read_text()
    assert f"{spec['estimator'].partition('.')[0]}==" in needs
    assert not Path("catboost_info").exists()
