"""Scorers are what make_scorer would make of the same words, and mistakes in them get one line."""

import pickle
import re
import sys

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    cohen_kappa_score,
    f1_score,
    fbeta_score,
    log_loss,
    make_scorer,
    mean_pinball_loss,
    roc_auc_score,
)
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from errors import SpecError
from tuning import Dataset, Scorers, SweepSpec, open_engine, sweep
from tuning.spec.scoring import metric_of

X, Y = make_classification(200, 6, n_informative=4, n_classes=3, random_state=0)
LABELS = np.array(["a", "b", "c"])
MINE = """
import numpy as np
def cost(y_true, y_pred, price=1.0):
    return price * float(np.mean(y_true != y_pred))
def sure(y_true, y_proba):
    return float(y_proba.max(axis=1).mean())
def weight_size(estimator, X, y):
    return float(np.abs(estimator.coef_).sum())
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    (tmp_path / "mine_scorers.py").write_text(MINE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))  # for the workers
    yield __import__("mine_scorers")
    sys.modules.pop("mine_scorers", None)


def spec_of(scoring, refit=None, grid=None):
    grid = grid or {"C": [0.01, 1.0]}
    path = "sklearn.linear_model.LogisticRegression"
    return SweepSpec(estimator=path, grid=grid, scoring=scoring, refit=refit, cv={"folds": 3, "seed": 1})


def test_split_scores_equal_grid_search_with_the_same_scorers(mine):
    scoring = [
        "neg_log_loss",
        {"scorer": "f1", "average": "macro"},
        {"scorer": "fbeta_score", "beta": 2, "average": "weighted"},
        {"scorer": "log_loss"},
        {"scorer": "roc_auc_score", "multi_class": "ovr"},
        {"f1_b": {"scorer": "f1_score", "labels": ["b"], "average": "micro"}},
        {"kappa": {"function": "sklearn.metrics.cohen_kappa_score", "weights": "quadratic", "labels": ["a", "b", "c"]}},
        {"cost": {"function": "mine_scorers.cost", "greater_is_better": False, "price": 3.0}},
        {"sure": {"function": "mine_scorers.sure", "needs": "predict_proba"}},
        {"size": {"function": "mine_scorers.weight_size", "needs": "estimator", "greater_is_better": False}},
    ]
    theirs = {
        "neg_log_loss": "neg_log_loss",
        "f1_average_macro": make_scorer(f1_score, average="macro"),
        "fbeta_score_beta_2_average_weighted": make_scorer(fbeta_score, beta=2, average="weighted"),
        "log_loss": make_scorer(log_loss, greater_is_better=False, response_method="predict_proba"),
        "roc_auc_score_multi_class_ovr": make_scorer(roc_auc_score, multi_class="ovr", response_method="predict_proba"),
        "f1_b": make_scorer(f1_score, labels=["b"], average="micro"),
        "kappa": make_scorer(cohen_kappa_score, weights="quadratic", labels=["a", "b", "c"]),
        "cost": make_scorer(mine.cost, greater_is_better=False, price=3.0),
        "sure": make_scorer(mine.sure, response_method="predict_proba"),
        "size": lambda estimator, X, y: -mine.weight_size(estimator, X, y),
    }
    spec = spec_of(scoring, refit="cost")
    assert spec.scorers == tuple(theirs)
    with open_engine("local", 1) as engine:
        ours = sweep(spec, Dataset(X, Y, LABELS), engine)
    assert not ours.failed
    cv = StratifiedKFold(3, shuffle=True, random_state=1)
    search = GridSearchCV(LogisticRegression(), {"C": [0.01, 1.0]}, scoring=theirs, cv=cv, refit=False)
    search.fit(X, LABELS[Y])
    for name in theirs:
        expected = np.array([search.cv_results_[f"split{k}_test_{name}"] for k in range(3)]).T
        assert np.array_equal(ours.split_scores(name), expected), name


def test_pos_label_is_the_label_of_the_file():
    two = Y > 0
    spec = spec_of({"scorer": "f1", "pos_label": "no"})
    with open_engine("local", 1) as engine:
        ours = sweep(spec, Dataset(X, two.astype(int), np.array(["no", "yes"])), engine)
    cv = StratifiedKFold(3, shuffle=True, random_state=1)
    scorer = make_scorer(f1_score, pos_label="no")
    search = GridSearchCV(LogisticRegression(), {"C": [0.01, 1.0]}, scoring=scorer, cv=cv, refit=False)
    search.fit(X, np.where(two, "yes", "no"))
    expected = np.array([search.cv_results_[f"split{k}_test_score"] for k in range(3)]).T
    assert np.array_equal(ours.split_scores(), expected)


def test_a_function_says_itself_which_way_is_better():
    scoring = {"scorer": "mean_pinball_loss", "alpha": 0.1}
    ours = Scorers.of(spec_of(scoring)).by_name["mean_pinball_loss_alpha_0.1"]
    assert ours._sign == make_scorer(mean_pinball_loss, greater_is_better=False)._sign


def test_scorers_are_built_once_and_travel(mine):
    scorers = Scorers.of(spec_of(["accuracy", {"cost": {"function": "mine_scorers.cost"}}], refit="cost"))
    again = pickle.loads(pickle.dumps(scorers))
    model = RandomForestClassifier(3, random_state=0).fit(X, Y)
    rows = Dataset(X, Y)
    assert again.score(model, rows) == scorers.score(model, rows)
    assert list(scorers.score(model, rows)) == ["accuracy", "cost"]
    assert scorers.deciding_first == ("cost", "accuracy")


def test_scorers_that_look_at_the_estimator_are_told_apart(mine):
    looks = {"size": {"function": "mine_scorers.weight_size", "needs": "estimator"}}
    assert not Scorers.of(spec_of(looks)).only_responses
    assert Scorers.of(spec_of({"scorer": "f1", "average": "macro"})).only_responses


@pytest.mark.parametrize(
    ("scoring", "said"),
    [
        (3, "expected the name of a scorer, a list, or an object such as {scorer: f1}, got 3"),
        ([3], "expected the name of a scorer, or an object such as {scorer: f1}, got 3"),
        ({"kappa": {"make_scorer": "cohen_kappa_score"}}, "Write {function: cohen_kappa_score, ...}"),
        ({"a b": {"function": "x.y"}}, "'a b' cannot be a metric's name"),
        ({"cost": 3}, "expected an object such as {function: mine.cost}, got 3"),
        ({"scorer": "f1", "needs": "predict_probs"}, "needs: expected predict, predict_proba"),
        ({"scorer": "f1", "greater_is_better": "no"}, "greater_is_better: expected true or false, got 'no'"),
    ],
)
def test_what_is_no_scorer_is_refused_in_one_line(scoring, said):
    with pytest.raises(SpecError) as caught:
        spec_of(scoring)
    assert said in str(caught.value).splitlines()[0]


@pytest.mark.parametrize(
    ("scoring", "said"),
    [
        ({"scorer": "fbeta_scor"}, "scoring: scikit-learn has no scorer 'fbeta_scor'. Did you mean 'fbeta_score'?"),
        ({"scorer": "fbeta_score"}, "missing a required (keyword-only )?argument: 'beta'"),
        ({"scorer": "f1", "avrage": "macro"}, "unexpected keyword argument 'avrage'.* Did you mean 'average'?"),
        ({"cost": {"function": "nowhere.cost"}}, "the function 'nowhere.cost' may not be named"),
        ({"cost": {"function": "mine_scorers.cots"}}, "mine_scorers has no function 'cots'. Did you mean 'cost'?"),
        ([{"scorer": "f1"}, "f1"], "scoring: a scorer stands twice"),
        (["f1", {"scorer": "recall", "average": "micro"}], "refit: the key is missing"),
    ],
)
def test_a_scorer_that_cannot_be_built_is_refused_before_the_data(scoring, said, mine):
    with pytest.raises(SpecError) as caught:
        spec_of(scoring)
    assert re.search(said, str(caught.value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", ["{scorer: fbeta_score, beta: 2}", {"scorer": "fbeta_score", "beta": 2}])
def test_one_scorer_is_read_from_an_object_or_its_text(given):
    metric = metric_of(given, "-P scorer")
    assert (metric.name, metric.what, metric.params) == ("fbeta_score_beta_2", "fbeta_score", {"beta": 2})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("rock_auc", "gates.yaml: scorer: scikit-learn has no scorer 'rock_auc'. Did you mean 'roc_auc'?"),
        (3, "gates.yaml: scorer: expected the name of a scorer, or an object such as {scorer: f1}, got 3."),
        ({"a": "f1", "b": "r2"}, "gates.yaml: scorer: expected one scorer, got 2."),
        ("{scorer: f1", "gates.yaml: scorer: "),
        ({"scorer": "f1", "need": 1}, "gates.yaml: scorer: f1_need_1: got an unexpected keyword argument 'need'."),
    ],
)
def test_what_is_not_one_scorer_is_refused_where_it_is_asked_for(given, said):
    with pytest.raises(SpecError) as caught:
        metric_of(given, "gates.yaml: scorer")
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)
