"""A table of one's own is swept like the built-in features: scores equal GridSearchCV's, and bad input is one line."""

import json
from pathlib import Path

import mlflow.pyfunc
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import xgboost as xgb
import yaml
from sklearn import datasets
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    PredefinedSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    TimeSeriesSplit,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import tuning
from entrypoints.data.own import own_rows
from entrypoints.parameters import SweepParams
from entrypoints.sweep import sweep
from errors import GridfoldError, SpecError

CLASSIFY = {
    "estimator": "xgboost.XGBClassifier",
    "fixed": {"random_state": 0},
    "grid": {"n_estimators": [2, 5], "max_depth": [2, 3]},
    "scoring": ["neg_log_loss", "accuracy"],
    "refit": "neg_log_loss",
    "cv": {"folds": 3, "seed": 1},
}
REGRESS = {**CLASSIFY, "estimator": "xgboost.XGBRegressor", "scoring": "r2", "refit": None}
RIDGE = {**REGRESS, "estimator": "sklearn.linear_model.Ridge", "fixed": {}, "grid": {"alpha": [0.1, 10.0]}}
HISTOGRAMS = {
    **REGRESS,
    "estimator": "sklearn.ensemble.HistGradientBoostingRegressor",
    "grid": {"max_iter": [3], "max_depth": [2, 3]},
}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def mixed(n_rows: int = 180) -> pd.DataFrame:
    """Numbers, text and truths with gaps, on which every target depends."""
    draw = np.random.default_rng(0)
    city = draw.choice(["Ulm", "Bern", "Graz", "Rome"], n_rows)
    age = draw.integers(18, 80, n_rows)
    member = draw.random(n_rows) < 0.5
    income = age * 10.0 + np.where(city == "Bern", 300, 0) + np.where(member, 0, 200) + draw.normal(0, 50, n_rows)
    return pd.DataFrame(
        {
            "age": age,
            "height": np.where(draw.random(n_rows) < 0.2, np.nan, draw.normal(170, 10, n_rows)),
            "city": np.where(draw.random(n_rows) < 0.1, None, city),
            "member": member,
            "house": np.arange(n_rows) // 4,
            "worth": draw.choice([0.5, 1.0, 3.0], n_rows),
            "income": income,
            "rich": np.where(income > np.median(income), "yes", "no"),
            "rank": pd.qcut(income, 3, labels=["low", "mid", "top"]).astype(object),
        }
    )


def table(frame: pd.DataFrame, name: str = "mine.parquet") -> str:
    (frame.to_csv if name.endswith(".csv") else frame.to_parquet)(name, index=False)
    return name


def rows_of(frame: pd.DataFrame, spec: dict, **params: object) -> tuple[tuning.SweepSpec, object]:
    """What a sweep of `frame` would take."""
    asked = SweepParams(**{"features": table(frame), "target": "rich", "holdout": 0.2} | params)
    return own_rows(asked, tuning.SweepSpec(**spec))


def swept(spec: tuning.SweepSpec, rows) -> tuning.SweepResult:
    with tuning.open_engine("local", 2) as engine:
        result = tuning.sweep(spec, rows.train, engine)
    assert not result.failed
    return result


def largest_difference(spec, rows, estimator, splitter, scoring, X=None) -> float:
    """The largest difference of any split score from GridSearchCV's on the same folds."""
    ours = swept(spec, rows)
    search = GridSearchCV(
        estimator, dict(spec.grid), scoring=scoring, cv=splitter, refit=False, error_score="raise", n_jobs=1
    )
    train = rows.train
    weights = {} if train.sample_weight is None else {"sample_weight": train.sample_weight}
    search.fit(train.X if X is None else X, train.y, groups=train.groups, **weights)
    theirs = np.array([search.cv_results_[f"split{k}_test_score"] for k in range(3)]).T
    assert len(np.unique(theirs)) > 1
    return float(np.abs(ours.split_scores() - theirs).max())


@pytest.mark.parametrize("target", ["rich", "rank"])
def test_xgboost_splits_categories_as_in_grid_search(target):
    frame = mixed().drop(columns=["house", "worth", "income", {"rich": "rank", "rank": "rich"}[target]])
    spec, rows = rows_of(frame, CLASSIFY, target=target)
    estimator = xgb.XGBClassifier(random_state=0, enable_categorical=True, n_jobs=1)
    splitter = StratifiedKFold(3, shuffle=True, random_state=1)
    assert isinstance(rows.train.X["city"].dtype, pd.CategoricalDtype)
    assert largest_difference(spec, rows, estimator, splitter, "neg_log_loss") <= 1e-6


@pytest.mark.parametrize("grouped", [True, False])
def test_groups_and_weights_count_as_in_grid_search(grouped):
    frame = mixed().drop(columns=["income", "rank"])
    named = {"weights": "worth"} | ({"groups": "house"} if grouped else {})
    spec, rows = rows_of(frame, CLASSIFY, **named)
    estimator = xgb.XGBClassifier(random_state=0, enable_categorical=True, n_jobs=1)
    splitter = (StratifiedGroupKFold if grouped else StratifiedKFold)(3, shuffle=True, random_state=1)
    assert largest_difference(spec, rows, estimator, splitter, "neg_log_loss") <= 1e-6


@pytest.mark.parametrize(
    ("asked", "estimator"),
    [
        (REGRESS, xgb.XGBRegressor(random_state=0, enable_categorical=True, n_jobs=1)),
        (HISTOGRAMS, HistGradientBoostingRegressor(random_state=0, categorical_features="from_dtype")),
    ],
    ids=["xgboost", "histograms"],
)
def test_regression_by_group_is_as_in_grid_search(asked, estimator):
    frame = mixed().drop(columns=["worth", "rich", "rank"])
    spec, rows = rows_of(frame, asked, target="income", groups="house")
    splitter = GroupKFold(3, shuffle=True, random_state=1)
    assert largest_difference(spec, rows, estimator, splitter, "r2") <= 1e-6


def test_other_estimators_get_a_column_for_each_category_as_an_encoder_would_make_them():
    frame = mixed()[["age", "city", "member", "income"]]
    spec, rows = rows_of(frame, RIDGE, target="income")
    assert list(rows.train.X.columns) == ["age", "city=Bern", "city=Graz", "city=Rome", "city=Ulm", "member"]
    whole = frame.assign(city=frame["city"].fillna("none"), number=np.arange(len(frame)))
    kept = np.isin(frame["income"], rows.train.y)
    encoder = OneHotEncoder(categories=[["Bern", "Graz", "Rome", "Ulm"]], handle_unknown="ignore")
    peer = make_pipeline(make_column_transformer((encoder, ["city"]), remainder="passthrough"), Ridge())
    ours = swept(spec, rows)
    search = GridSearchCV(
        peer, {"ridge__alpha": [0.1, 10.0]}, scoring="r2", cv=KFold(3, shuffle=True, random_state=1), refit=False
    ).fit(whole.loc[kept, ["age", "city", "member"]], frame.loc[kept, "income"])
    theirs = np.array([search.cv_results_[f"split{k}_test_score"] for k in range(3)]).T
    np.testing.assert_allclose(ours.split_scores(), theirs, atol=1e-9)


@pytest.mark.parametrize("step", ["OneHotEncoder", "TargetEncoder", "OrdinalEncoder"])
def test_an_encoder_that_begins_the_steps_gets_the_categories_themselves(step):
    steps = [{"encode": f"sklearn.preprocessing.{step}"}, {"model": "sklearn.ensemble.RandomForestClassifier"}]
    fixed = {"model__n_estimators": 3} | ({"encode__handle_unknown": "ignore"} if step == "OneHotEncoder" else {})
    asked = {**CLASSIFY, "estimator": steps, "fixed": fixed, "grid": {"model__max_depth": [2]}}
    spec, rows = rows_of(mixed()[["city", "member", "rich"]], asked)
    assert list(rows.train.X.columns) == ["city", "member"]
    swept(spec, rows)


def test_the_spec_may_say_itself_that_xgboost_takes_categories_or_not():
    frame = mixed()[["city", "age", "rich"]]
    refusing = {**CLASSIFY, "fixed": {"enable_categorical": False}}
    linear = {**CLASSIFY, "fixed": {"booster": "gblinear"}, "grid": {"n_estimators": [2, 5]}}
    assert rows_of(frame, CLASSIFY)[0].fixed["enable_categorical"] is True
    assert all(rows_of(frame, asked)[1].one_hot for asked in (refusing, linear))
    assert "enable_categorical" not in rows_of(frame[["age", "rich"]], CLASSIFY)[0].fixed


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits", "diabetes"])
def test_real_tables_are_learned_from(name):
    """scikit-learn's own data, through CSV: in few rounds far better than knowing nothing."""
    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    frame = bunch.frame[::3] if name == "digits" else bunch.frame
    numbers = name == "diabetes"
    if not numbers:
        frame = frame.assign(target=np.asarray(bunch.target_names)[frame["target"]])
    learns = {"fixed": {"random_state": 0, "learning_rate": 0.3}, "grid": {"n_estimators": [10]}}
    asked = {**(REGRESS if numbers else CLASSIFY), **learns, "scoring": "r2" if numbers else "accuracy", "refit": None}
    params = SweepParams(features=table(frame, f"{name}.csv"), target="target")
    spec, rows = own_rows(params, tuning.SweepSpec(**asked))
    assert rows.train.n_rows + rows.holdout.n_rows == len(frame)
    assert swept(spec, rows).best_score > (0.2 if numbers else 0.8)


def test_a_sparse_matrix_is_swept_as_it_is():
    frame = mixed()
    X = sp.csr_matrix(np.where(frame[["age", "income"]] > 400, frame[["age", "income"]], 0), dtype=np.float32)
    sp.save_npz("mine.npz", X)
    target = f"{table(frame, 'labels.csv')}:rich"
    spec, rows = rows_of(frame, CLASSIFY, features="mine.npz", target=target, groups="house")
    assert sp.issparse(rows.train.X)
    assert rows.train.groups is not None
    splitter = StratifiedGroupKFold(3, shuffle=True, random_state=1)
    assert largest_difference(spec, rows, xgb.XGBClassifier(random_state=0, n_jobs=1), splitter, "neg_log_loss") <= 1e-6


def test_the_holdout_has_each_class_in_proportion():
    _, rows = rows_of(mixed(), CLASSIFY, target="rank", holdout=0.2)
    assert rows.holdout.n_rows == 36
    assert np.bincount(rows.holdout.y).tolist() == [12, 12, 12]


@pytest.mark.parametrize(("spec", "target"), [(CLASSIFY, "rank"), (REGRESS, "income")])
def test_the_holdout_takes_groups_whole_and_about_the_share(spec, target):
    _, rows = rows_of(mixed(), spec, target=target, groups="house", holdout=0.2)
    assert not set(rows.train.groups) & set(rows.holdout.groups)
    assert 30 <= rows.holdout.n_rows <= 42
    if target == "rank":
        assert np.bincount(rows.holdout.y).min() >= 8


def test_the_fingerprint_is_of_content_and_of_what_was_asked():
    def fingerprint(frame: pd.DataFrame | None = None, **params: object) -> str:
        return rows_of(mixed() if frame is None else frame, CLASSIFY, **params)[1].fingerprint

    names = [
        fingerprint(),
        fingerprint(features=table(mixed(), "copy.parquet")),
        fingerprint(mixed().assign(age=1)),
        fingerprint(target="rank"),
        fingerprint(groups="house"),
        fingerprint(weights="worth"),
        fingerprint(holdout=0.3),
        fingerprint(seed=1),
    ]
    assert names[0] == names[1]
    assert len(set(names)) == len(names) - 1


def refused(frame: pd.DataFrame, spec: dict, **params: object) -> str:
    with pytest.raises(GridfoldError) as refusal:
        rows_of(frame, spec, **params)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


LOGISTIC = {**CLASSIFY, "estimator": "sklearn.linear_model.LogisticRegression", "fixed": {}, "grid": {"C": [1.0]}}
NEIGHBOURS = {
    **CLASSIFY,
    "estimator": "sklearn.neighbors.KNeighborsClassifier",
    "fixed": {},
    "grid": {"n_neighbors": [3]},
}


@pytest.mark.parametrize(
    ("spec", "params", "said"),
    [
        (CLASSIFY, {"target": ""}, "-P features=mine.parquet needs -P target=COLUMN"),
        (CLASSIFY, {"target": "same"}, "target 'same' is '7' in every row, so there is nothing to learn."),
        (CLASSIFY, {"target": "income"}, "target 'income' holds fractions such as "),
        (CLASSIFY, {"target": "place"}, "target 'place' has 180 different values in 180 rows: too many for classes."),
        (CLASSIFY, {"target": "count"}, "target 'count' has 61 different values in 180 rows: too many for classes."),
        (REGRESS, {}, "target 'rich' holds values such as "),
        (REGRESS, {"target": "member"}, "target 'member' holds values such as "),
        (
            {**RIDGE, "estimator": "sklearn.cluster.KMeans", "grid": {"n_clusters": [2]}},
            {},
            "estimator: KMeans is neither",
        ),
        (LOGISTIC, {}, "column 'height' has missing values, which LogisticRegression does not take. Begin the steps"),
        (NEIGHBOURS, {"weights": "worth"}, "column 'height' has missing values, which KNeighborsClassifier"),
        (LOGISTIC, {"with_text": True}, "column 'id' has 1,100 categories, too many for a column each. Leave it out"),
        (CLASSIFY, {"target": "rare"}, "holdout: class 'odd' has 1 row, which cannot stand on both sides."),
        (CLASSIFY, {"groups": "same"}, "holdout: 0.2 of 1 groups cannot be set aside with each of the 2 classes"),
        (CLASSIFY, {"groups": "side"}, "holdout: 0.2 of 2 groups cannot be set aside with each of the 2 classes"),
        ({**CLASSIFY, "scoring": "roc_auc", "refit": None}, {"target": "rank"}, "scoring: roc_auc cannot judge this"),
        ({**CLASSIFY, "fixed": {"objective": "multi:softprob"}}, {}, "objective: multi:softprob is for three classes"),
        (RIDGE, {"target": "income", "renamed": "city=Ulm"}, "-P features: with a column for each category, a column"),
    ],
)
def test_what_does_not_go_together_is_one_line(spec, params, said):
    frame = mixed().assign(same=7, count=np.arange(180) // 3 + (np.arange(180) == 179))
    frame = frame.assign(
        side=frame["rich"], rare=["odd", *frame["rank"][1:]], place=[f"no {row}" for row in range(180)]
    )
    if params.pop("with_text", False):
        frame = pd.concat([frame] * 7, ignore_index=True)[:1100].assign(id=[f"no {row}" for row in range(1100)])
    if renamed := params.pop("renamed", ""):
        frame = frame.drop(columns="height").assign(**{renamed: 1.0})
    assert refused(frame, spec, **params).startswith(said)


def test_weights_are_refused_where_the_estimator_takes_none():
    assert refused(mixed()[["age", "worth", "rich"]], NEIGHBOURS, weights="worth") == (
        "-P weights: KNeighborsClassifier takes no weights. Leave them out, or choose another estimator."
    )


@pytest.mark.parametrize("groups", ["", "house"])
def test_fewer_groups_or_rows_than_folds_are_one_line(groups):
    frame = mixed().assign(house=lambda f: np.arange(len(f)) % 4)
    asked = {**CLASSIFY, "cv": {"folds": 100}}
    spec, rows = rows_of(frame, asked, groups=groups, holdout=0.25)
    with pytest.raises(
        SpecError, match=r"^cv.folds: 100 folds, but (there are only 3 groups|class '.*', the largest, has only )"
    ):
        swept(spec, rows)


def spec_file(spec: dict) -> str:
    Path("space.yaml").write_text(yaml.safe_dump({key: value for key, value in spec.items() if value is not None}))
    return "space.yaml"


def arguments(spec: dict, **params: str) -> list[str]:
    return [f"--{name}={value}" for name, value in {"space": spec_file(spec), **params}.items()]


def test_the_run_says_what_was_read_and_the_model_takes_the_columns_as_they_are_in_the_file(workplace, capsys):
    frame = mixed()[["age", "height", "city", "member", "worth", "rich"]]
    asked = arguments(CLASSIFY, features=table(frame, "mine.csv"), target="rich", weights="worth")
    assert sweep(asked) == 0
    printed = capsys.readouterr().out
    run = workplace.newest_sweep()
    fingerprint = run.data.tags["sweep.features"]
    assert f"features {fingerprint}: read from mine.csv (180 rows x 4 columns; categories as they are: city)" in printed
    assert "model    mine version 1, alias challenger" in printed
    assert {name: run.data.params[name] for name in ("features", "target", "weights", "groups")} == {
        "features": "mine.csv",
        "target": "rich",
        "weights": "worth",
        "groups": "",
    }
    inputs = {item.dataset.name: item.dataset for item in run.inputs.dataset_inputs}
    assert inputs.keys() == {"mine-training", "mine-holdout"}
    columns = json.loads(inputs["mine-training"].schema)["mlflow_colspec"]
    assert {c["name"]: c["type"] for c in columns} == {
        "age": "long",
        "height": "double",
        "city": "string",
        "member": "boolean",
    }
    model = mlflow.pyfunc.load_model("models:/mine@challenger")
    assert model.metadata.get_input_schema().input_names() == ["age", "height", "city", "member"]
    assert model.metadata.metadata["gridfold.columns"] == {
        "age": "whole numbers",
        "height": "numbers",
        "city": "category",
        "member": "true or false",
    }
    assert model.input_example["city"].tolist()[:1] == frame["city"].tolist()[:1]
    predicted = model.predict(pd.read_csv("mine.csv"))
    assert list(predicted.columns) == ["no", "yes"]
    assert ((predicted["yes"] > 0.5) == (frame["rich"] == "yes")).mean() > 0.8
    strange = model.predict(pd.read_csv("mine.csv").assign(city="Oslo"))
    assert strange.notna().all(axis=None)


def test_a_model_of_columns_for_categories_takes_the_categories(workplace):
    frame = mixed()[["age", "city", "member", "income"]].assign(city=lambda f: f["city"].where(f.index > 9))
    assert sweep(arguments(RIDGE, features=table(frame), target="income", model_name="money")) == 0
    model = mlflow.pyfunc.load_model("models:/money@challenger")
    assert model.metadata.get_input_schema().required_input_names() == ["age", "city", "member"]
    predicted = model.predict(pd.read_parquet("mine.parquet"))
    assert np.corrcoef(predicted, frame["income"])[0, 1] > 0.8


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"target": "rich"}, "-P target=rich is a column of your own table. Name the table: -P features=FILE."),
        ({"features": "mine.csv"}, "-P features=mine.csv needs -P target=COLUMN: which column is to be predicted?"),
        ({"features": "none.csv", "target": "rich"}, "-P features=none.csv: no such file."),
    ],
)
def test_what_is_missing_is_one_line_and_the_run_failed(workplace, capsys, params, said):
    assert sweep(arguments(CLASSIFY, **params)) == 1
    assert capsys.readouterr().err.splitlines() == [said]
    assert workplace.newest_sweep().info.status == "FAILED"


def test_folds_from_a_column_of_the_table_equal_grid_search_and_it_is_no_feature():
    frame = mixed().drop(columns=["house", "worth", "income", "rank"])
    frame["FOLD"] = np.random.default_rng(3).integers(-1, 3, len(frame))
    spec, rows = rows_of(frame, {**CLASSIFY, "cv": {"column": "FOLD"}})
    assert "FOLD" not in rows.train.columns
    estimator = xgb.XGBClassifier(random_state=0, enable_categorical=True, n_jobs=1)
    splitter = PredefinedSplit(rows.train.fold_columns["FOLD"])
    assert largest_difference(spec, rows, estimator, splitter, "neg_log_loss") <= 1e-6


def test_folds_by_time_equal_grid_search_on_the_sorted_rows():
    frame = mixed().drop(columns=["house", "worth", "income", "rank"])
    frame["DAY"] = pd.Series(pd.date_range("2016-05-01", periods=len(frame))).sample(frac=1, random_state=0).to_numpy()
    asked = {**CLASSIFY, "cv": {"by": "time", "folds": 3, "gap": 2, "column": "DAY"}}
    spec, rows = rows_of(frame, asked, holdout=0)
    order = np.argsort(rows.train.fold_columns["DAY"], kind="stable")
    splitter = [(order[train], order[test]) for train, test in TimeSeriesSplit(3, gap=2).split(order)]
    estimator = xgb.XGBClassifier(random_state=0, enable_categorical=True, n_jobs=1)
    assert largest_difference(spec, rows, estimator, splitter, "neg_log_loss") <= 1e-6


def test_a_fold_column_that_is_not_there_is_named_by_its_key():
    with pytest.raises(GridfoldError, match=r"^cv\.column: FOLD: mine\.parquet has no column 'FOLD'\."):
        rows_of(mixed(), {**CLASSIFY, "cv": {"column": "FOLD"}})
