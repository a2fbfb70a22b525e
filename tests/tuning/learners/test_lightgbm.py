"""LightGBM shares rounds, bit for bit, and what cannot be shared is fitted alone."""

import lightgbm as lgb
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
from tuning import Candidate, Dataset, SweepSpec, open_engine, refit, sweep
from tuning.learners import learner_for
from tuning.spec.allowed import class_named

X, Y = make_classification(240, 12, n_informative=8, n_classes=3, n_clusters_per_class=1, random_state=0)
ROUNDS = [{"n_estimators": n} for n in (4, 9, 6)]


def rows(layout=np.asarray, classes=("a", "b", "c"), weight=None):
    return Dataset(layout(X), Y % len(classes), np.array(classes), sample_weight=weight)


def folds_of(data):
    splitter = KFold if data.classes is None else StratifiedKFold
    return splitter(3, shuffle=True, random_state=0)


def classifier(**params):
    return lgb.LGBMClassifier(n_jobs=1, verbose=-1, random_state=3, **params)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"subsample": 0.6, "subsample_freq": 1, "colsample_bytree": 0.5},
        {"data_sample_strategy": "goss"},
        {"boosting_type": "goss"},
        {"extra_trees": True, "linear_tree": True},
        {"use_quantized_grad": True},
        {"force_row_wise": True},
        {"class_weight": {"a": 3.0, "b": 1.0, "c": 0.5}},
        {"class_weight": "balanced", "min_child_samples": 60, "bagging_fraction": 0.5, "bagging_freq": 2},
        {"objective": "multiclassova"},
    ],
    ids=str,
)
def test_first_rounds_are_a_fit_of_so_many(params):
    table, shared = ours(classifier(**params), ROUNDS, rows())
    assert np.array_equal(table, theirs(classifier(**params), ROUNDS, rows()))
    assert all("n_estimators: the first rounds" in words for words in shared)


@pytest.mark.parametrize("scorer", ["roc_auc", "accuracy", "f1_macro"])
def test_scorers_that_ask_other_methods_see_the_first_rounds_too(scorer):
    data = rows(classes=("no", "yes"))
    assert np.array_equal(ours(classifier(), ROUNDS, data, scorer)[0], theirs(classifier(), ROUNDS, data, scorer))


@pytest.mark.parametrize(
    "layout", [lambda X: sp.csr_matrix(np.where(X > 0, X, 0)), lambda X: np.where(X > 1, np.nan, X)]
)
def test_sparse_rows_and_gaps(layout):
    data = rows(layout)
    assert np.array_equal(ours(classifier(), ROUNDS, data)[0], theirs(classifier(), ROUNDS, data))


def test_weights_of_rows():
    data = rows(weight=np.linspace(0.1, 2.0, len(Y)))
    assert np.array_equal(ours(classifier(), ROUNDS, data)[0], theirs(classifier(), ROUNDS, data))


def test_categories_of_a_frame():
    frame = pd.DataFrame(X[:, :5], columns=list("vwxyz")).assign(city=pd.Categorical(np.array(list("pqrs"))[Y]))
    frame.loc[::7, "city"] = None
    data = Dataset(frame, Y, np.array(["a", "b", "c"]))
    assert np.array_equal(ours(classifier(), ROUNDS, data)[0], theirs(classifier(), ROUNDS, data))


@pytest.mark.parametrize("objective", [None, "l1", "poisson", "quantile"])
def test_regression(objective):
    data = Dataset(X, np.abs(X[:, 0]) + Y)
    model, scorer = lgb.LGBMRegressor(n_jobs=1, verbose=-1, objective=objective), "neg_mean_absolute_error"
    assert np.array_equal(ours(model, ROUNDS, data, scorer)[0], theirs(model, ROUNDS, data, scorer))


def test_rounds_without_a_split_leave_no_tree_and_later_ones_may():
    """Tiny bags of rows split now and then: a candidate of n rounds has fewer than n trees."""
    params = {"subsample": 0.18, "subsample_freq": 1, "min_child_samples": 17, "min_split_gain": 0.5}
    grid = [{"n_estimators": n} for n in (3, 12, 30, 60)]
    data = rows(classes=("no", "yes"))
    table, _ = ours(classifier(**params), grid, data)
    assert classifier(**params, n_estimators=60).fit(X, data.labels).booster_.num_trees() < 60
    assert np.array_equal(table, theirs(classifier(**params), grid, data))


@pytest.mark.parametrize("name", ["num_iterations", "num_boost_round", "nrounds"])
def test_other_names_of_rounds_are_understood(name):
    grid = [{name: n} for n in (4, 9)]
    table, shared = ours(classifier(), grid, rows())
    assert np.array_equal(table, theirs(classifier(), ROUNDS[:2], rows()))
    assert all(f"{name}: the first rounds" in words for words in shared)


@pytest.mark.parametrize(
    "params",
    [
        {"boosting_type": "dart"},
        {"boosting": "dart"},
        {"boosting_type": "rf", "subsample": 0.5, "subsample_freq": 1},
        {"random_state": np.random.RandomState(0)},
    ],
    ids=["dart by its own name", "dart by an alias", "rf", "a generator in place of a seed"],
)
def test_what_is_not_shared_is_fitted_alone(params):
    estimator = lgb.LGBMClassifier(**{"n_jobs": 1, "verbose": -1, "random_state": 3, **params})
    table, shared = ours(estimator, ROUNDS, rows())
    assert shared == {"fitted alone"}
    if "random_state" not in params:
        assert np.array_equal(table, theirs(estimator, ROUNDS, rows()))


def test_sharing_dart_would_be_noticed(monkeypatch):
    monkeypatch.setattr("tuning.learners.lightgbm._shares_rounds", lambda estimator: True)
    estimator = classifier(boosting_type="dart", drop_rate=0.5)
    assert np.abs(ours(estimator, ROUNDS, rows())[0] - theirs(estimator, ROUNDS, rows())).max() > 1e-3


def test_inside_a_pipeline():
    pipeline = Pipeline([("scale", StandardScaler()), ("model", classifier())])
    grid = [{"model__n_estimators": n, "model__num_leaves": m} for m in (5, 9) for n in (3, 8)]
    table, shared = ours(pipeline, grid, rows())
    assert np.array_equal(table, theirs(pipeline, grid, rows()))
    assert all("model__n_estimators" in words and "steps scale" in words for words in shared)


@pytest.mark.parametrize(("kind", "scorer"), [("LGBMClassifier", "neg_log_loss"), ("LGBMRegressor", "r2")])
@pytest.mark.parametrize("labels", [["a", "b", "c"], ["no", "yes"]])
def test_early_stopping_is_a_grid_over_every_number_of_rounds(kind, scorer, labels):
    data = rows(classes=labels) if kind == "LGBMClassifier" else Dataset(X, X[:, 0] + Y % len(labels))
    fixed = {"n_estimators": 30, "random_state": 0, "learning_rate": 0.6, "min_child_samples": 5}
    spec = SweepSpec(
        estimator=f"lightgbm.{kind}",
        fixed=fixed,
        grid={"num_leaves": [3, 7]},
        scoring=scorer,
        cv={"folds": 3},
        early_stopping={"patience": 30},
    )
    with open_engine("local", 2) as engine:
        found = sweep(spec, data, engine)
    assert not found.failed
    grid = [{"num_leaves": leaves, "n_estimators": n} for leaves in (3, 7) for n in range(1, 31)]
    estimator = getattr(lgb, kind)(**fixed, n_jobs=1, verbose=-1)
    table = theirs(estimator, grid, data, scorer)
    best = int(table.mean(axis=1).argmax())
    assert {**found.best.params, "n_estimators": found.rounds[found.best]} == grid[best]
    assert np.abs(found.split_scores()[found.best_index] - table[best]).max() <= 1e-9


def test_every_name_works_as_it_says_or_is_refused():
    """Each other name of the estimator's own parameters changes the model, or the spec is told that it would not."""
    values = {"num_leaves": 9, "max_depth": 4, "learning_rate": 0.35, "lambda_l1": 0.75, "lambda_l2": 0.65, "seed": 77}
    values |= {"min_data_in_leaf": 7, "bagging_fraction": 0.35, "bagging_freq": 3, "feature_fraction": 0.45}
    learner = learner_for(lgb.LGBMClassifier())
    for names in learner.synonyms(None):
        value = next((values[name] for name in names if name in values), None)
        for name in names if value is not None else ():
            model = lgb.LGBMClassifier(n_estimators=1, verbose=-1, **{name: value}).fit(X[:60], Y[:60])
            line = f"[{names[0]}: {value}]"
            works = line in model.booster_.model_to_string() or name in lgb.LGBMClassifier().get_params()
            assert works == (learner.refusal(model, name, value) is None), name


@pytest.mark.parametrize(
    ("fixed", "words"),
    [
        ({"num_leafs": 3}, "fixed.num_leafs: LGBMClassifier has no parameter 'num_leafs'. Did you mean"),
        (
            {"bagging_fraction": 0.5, "subsample": 0.6},
            "'bagging_fraction' is the same parameter. Remove",
        ),
        ({"eta": 0.5}, "fixed.eta: LightGBM takes learning_rate in its place"),
        ({"num_iterations": 0}, "fixed.num_iterations: 0 rounds cannot be trained. Give 1 or more."),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(fixed, words, tmp_path):
    spec = {"estimator": "lightgbm.LGBMClassifier", "fixed": fixed, "grid": {"max_depth": [2]}, "scoring": "accuracy"}
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(spec))
    with pytest.raises(SpecError) as raised:
        SweepSpec.load(tmp_path / "s.yaml")
    assert words in str(raised.value)


def test_one_round_is_no_mistake():
    SweepSpec(
        estimator="lightgbm.LGBMClassifier", fixed={"num_iterations": 1}, grid={"max_depth": [2]}, scoring="accuracy"
    )


def test_fits_say_nothing(capfd):
    spec = SweepSpec(
        estimator="lightgbm.LGBMClassifier",
        fixed={"n_estimators": 20, "verbose": 2},
        grid={"num_leaves": [31, 63]},
        scoring="neg_log_loss",
        cv={"folds": 3},
    )
    with open_engine("local", 2) as engine:
        assert not sweep(spec, Dataset(X[:60], Y[:60] % 2, np.arange(2)), engine).failed
    out, err = capfd.readouterr()
    assert "LightGBM" not in out + err


def test_the_refit_carries_no_count_of_threads():
    spec = SweepSpec(
        estimator="lightgbm.LGBMClassifier", fixed={"n_estimators": 3}, grid={"num_leaves": [5]}, scoring="accuracy"
    )
    assert refit(spec, Candidate({"num_leaves": 5}), rows(), cores=2).get_params()["n_jobs"] is None


def test_a_library_that_is_missing_is_named_with_the_command_that_brings_it(monkeypatch):

    monkeypatch.setattr("importlib.import_module", _missing)
    with pytest.raises(
        SpecError, match=r"no module named 'lightgbm' is installed. Install it: pip install -e '.\[lightgbm\]'"
    ):
        class_named("lightgbm.LGBMClassifier")


def _missing(name):
    raise ModuleNotFoundError(name=name)
