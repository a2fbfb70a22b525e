"""CatBoost shares iterations, bit for bit, where the learning rate is given."""

import catboost as cb
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import yaml
from sklearn.datasets import make_classification
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from errors import SpecError
from tests.tuning.learners.searching import ours, theirs
from tuning import Dataset, SweepSpec, open_engine, refit, sweep

X, Y = make_classification(150, 8, n_informative=6, n_classes=3, n_clusters_per_class=1, random_state=0)
ROUNDS = [{"iterations": n} for n in (4, 9, 6)]
QUIET = {"logging_level": "Silent", "allow_writing_files": False, "thread_count": 1}


def rows(layout=np.asarray, classes=("a", "b", "c"), weight=None):
    return Dataset(layout(X), Y % len(classes), np.array(classes), sample_weight=weight)


def folds_of(data):
    splitter = KFold if data.classes is None else StratifiedKFold
    return splitter(3, shuffle=True, random_state=0)


def classifier(**params):
    return cb.CatBoostClassifier(**{"random_seed": 3, "learning_rate": 0.2, "depth": 3, **QUIET, **params})


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"bootstrap_type": "Bernoulli", "subsample": 0.5, "rsm": 0.5},
        {"bootstrap_type": "Bayesian", "bagging_temperature": 2},
        {"bootstrap_type": "MVS", "random_strength": 3},
        {"boosting_type": "Ordered"},
        {"grow_policy": "Lossguide"},
        {"grow_policy": "Depthwise"},
        {"auto_class_weights": "Balanced"},
        {"loss_function": "MultiClassOneVsAll"},
    ],
    ids=str,
)
def test_first_trees_are_a_fit_of_so_many(params):
    table, shared = ours(classifier(**params), ROUNDS, rows())
    assert np.array_equal(table, theirs(classifier(**params), ROUNDS, rows()))
    assert all("iterations: the first trees" in words for words in shared)


@pytest.mark.parametrize("scorer", ["roc_auc", "accuracy"])
def test_two_classes_and_other_scorers(scorer):
    data = rows(classes=("no", "yes"))
    assert np.array_equal(ours(classifier(), ROUNDS, data, scorer)[0], theirs(classifier(), ROUNDS, data, scorer))


@pytest.mark.parametrize(
    "layout", [lambda X: sp.csr_matrix(np.where(X > 0, X, 0)), lambda X: np.where(X > 1, np.nan, X)]
)
def test_sparse_rows_and_gaps(layout):
    data = rows(layout, weight=np.linspace(0.1, 2.0, len(Y)))
    assert np.array_equal(ours(classifier(), ROUNDS, data)[0], theirs(classifier(), ROUNDS, data))


def test_categories_of_a_frame():
    frame = pd.DataFrame(X[:, :3], columns=list("xyz")).assign(city=pd.Categorical(np.array(list("pqrs"))[Y]))
    data = Dataset(frame, Y, np.array(["a", "b", "c"]))
    estimator = classifier(cat_features=("city",))  # scikit-learn can clone a tuple; ours may be given a list
    table, _ = ours(classifier(cat_features=["city"]), ROUNDS, data)
    assert np.array_equal(table, theirs(estimator, ROUNDS, data))


@pytest.mark.parametrize("loss", [None, "MAE", "Poisson"])
def test_regression(loss):
    data, scorer = Dataset(X, np.abs(X[:, 0]) + Y), "neg_mean_absolute_error"
    model = cb.CatBoostRegressor(loss_function=loss or "RMSE", learning_rate=0.2, depth=3, **QUIET)
    assert np.array_equal(ours(model, ROUNDS, data, scorer)[0], theirs(model, ROUNDS, data, scorer))


@pytest.mark.parametrize("name", ["n_estimators", "num_boost_round", "num_trees"])
def test_other_names_of_iterations_are_understood(name):
    grid = [{name: n} for n in (4, 9)]
    table, shared = ours(classifier(), grid, rows())
    assert np.array_equal(table, theirs(classifier(), ROUNDS[:2], rows()))
    assert all(f"{name}: the first trees" in words for words in shared)


def test_a_model_that_ends_by_itself_has_no_more_trees_than_that():
    data = Dataset(np.round(X[:, :1]), np.zeros(len(Y)) + (X[:, 0] > 0))
    grid = [{"iterations": n} for n in (5, 400)]
    model = cb.CatBoostRegressor(learning_rate=1.0, l2_leaf_reg=0, depth=2, **QUIET)
    scorer = "neg_mean_absolute_error"
    assert np.array_equal(ours(model, grid, data, scorer)[0], theirs(model, grid, data, scorer))


@pytest.mark.parametrize(
    "params",
    [{"learning_rate": None}, {"langevin": True}, {"posterior_sampling": True}, {"model_shrink_rate": 0.1}],
    ids=str,
)
def test_what_is_not_shared_is_fitted_alone(params):
    set_alone = {name: value for name, value in {"learning_rate": 0.2, **params}.items() if value is not None}
    estimator = cb.CatBoostClassifier(random_seed=3, depth=3, **QUIET, **set_alone)
    data = rows(classes=("no", "yes"))
    table, shared = ours(estimator, ROUNDS, data)
    assert shared == {"fitted alone"}
    assert np.array_equal(table, theirs(estimator, ROUNDS, data))


def test_sharing_an_unset_learning_rate_would_be_noticed(monkeypatch):
    monkeypatch.setattr("tuning.learners.catboost._shares_rounds", lambda estimator: True)
    estimator, data = cb.CatBoostClassifier(random_seed=3, depth=3, **QUIET), rows(classes=("no", "yes"))
    assert np.abs(ours(estimator, ROUNDS, data)[0] - theirs(estimator, ROUNDS, data)).max() > 1e-3


def test_inside_a_pipeline():
    pipeline = Pipeline([("scale", StandardScaler()), ("model", classifier(class_weights=[1, 2, 1]))])
    grid = [{"model__iterations": n, "model__depth": depth} for depth in (2, 3) for n in (3, 8)]
    table, shared = ours(pipeline, grid, rows())
    separate = Pipeline([("scale", StandardScaler()), ("model", classifier(class_weights=(1, 2, 1)))])
    assert np.array_equal(table, theirs(separate, grid, rows()))
    assert all("model__iterations" in words and "steps scale" in words for words in shared)


def spec_of(kind="CatBoostClassifier", scoring="neg_log_loss", fixed=None, **more):
    fixed = {"iterations": 15, "learning_rate": 0.6, "random_seed": 0, **(fixed or {})}
    return SweepSpec(
        estimator=f"catboost.{kind}", fixed=fixed, grid={"depth": [1, 3]}, scoring=scoring, cv={"folds": 3}, **more
    )


@pytest.mark.parametrize(("kind", "scorer"), [("CatBoostClassifier", "neg_log_loss"), ("CatBoostRegressor", "r2")])
@pytest.mark.parametrize("labels", [["a", "b", "c"], ["no", "yes"]])
def test_early_stopping_is_a_grid_over_every_number_of_iterations(kind, scorer, labels):
    data = rows(classes=labels) if kind == "CatBoostClassifier" else Dataset(X, X[:, 0] + Y % len(labels))
    spec = spec_of(kind, scorer, early_stopping={"patience": 15})
    with open_engine("local", 2) as engine:
        found = sweep(spec, data, engine)
    assert not found.failed
    grid = [{"depth": depth, "iterations": n} for depth in (1, 3) for n in range(1, 16)]
    table = theirs(getattr(cb, kind)(**spec.fixed, **QUIET), grid, data, scorer)
    best = int(table.mean(axis=1).argmax())
    assert {**found.best.params, "iterations": found.rounds[found.best]} == grid[best]
    assert np.abs(found.split_scores()[found.best_index] - table[best]).max() <= 1e-9
    fitted = refit(spec, found.best, data, cores=1, rounds=found.rounds[found.best])
    assert fitted.tree_count_ == found.rounds[found.best]


def test_parameters_that_it_documents_are_taken_and_nothing_is_said_or_written(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    spec = spec_of(fixed={"verbose": 5})
    with open_engine("local", 2) as engine:
        assert not sweep(spec, rows(), engine).failed
    out, err = capfd.readouterr()
    assert "learn:" not in out + err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("fixed", "words"),
    [
        (
            {"iteration": 3},
            "CatBoostClassifier has no parameter 'iteration'. Did you mean 'iterations'?",
        ),
        ({"n_estimators": 5}, "'iterations' is the same parameter. Remove one of the two."),
        ({"iterations": 0}, "fixed.iterations: 0 iterations cannot be trained. Give 1 or more."),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(fixed, words, tmp_path):
    fixed = {"iterations": 15, **fixed}
    spec = {"estimator": "catboost.CatBoostClassifier", "fixed": fixed, "grid": {"depth": [2]}, "scoring": "accuracy"}
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(spec))
    with pytest.raises(SpecError) as raised:
        SweepSpec.load(tmp_path / "s.yaml")
    assert words in str(raised.value)
