"""Whatever a search is given, its table is the one that scikit-learn's own class makes of it."""

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn.model_selection as theirs
from gridfold.tuning.dropin import fits
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import KMeans
from sklearn.exceptions import FitFailedWarning
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from xgboost import XGBClassifier, XGBRegressor

import gridfold

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 5))
y = (X[:, 0] + RNG.normal(size=90) > 0).astype(int) + (X[:, 1] > 1)
WEIGHTS = RNG.uniform(0.1, 2, size=90)
SCALED_TREE = make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=0))
DEPTHS = {"decisiontreeclassifier__max_depth": [1, 2, 3]}
STEPS = Pipeline([("scale", StandardScaler()), ("model", DecisionTreeClassifier(random_state=0))])
BOOSTER = XGBClassifier(random_state=0, n_estimators=4, max_depth=2, subsample=0.7, n_jobs=1)
ROUNDS = {"n_estimators": [1, 3, 6], "max_depth": [1, 2]}


class Moody(ClassifierMixin, BaseEstimator):
    """Fails where it is told to."""

    def __init__(self, mood="calm"):
        self.mood = mood

    def fit(self, X, y):
        if self.mood != "calm":
            raise ValueError(self.mood)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def same(ours, other):
    """Whether two searches have the same table, times aside, and the same winner."""
    assert list(ours.cv_results_) == list(other.cv_results_)
    for name, column in other.cv_results_.items():
        if not name.endswith("_time"):
            _equal(name, ours.cv_results_[name], column, 1e-6 if "XGB" in repr(other.estimator) else 0)
    for name in ("best_index_", "multimetric_", "n_splits_"):
        if hasattr(other, name):
            assert getattr(ours, name) == getattr(other, name)
    return True


def _equal(name, ours, other, tolerance):
    if "_test_" in name and "rank" not in name:
        np.testing.assert_allclose(ours, other, rtol=0, atol=tolerance, err_msg=name)
    elif name == "params":
        assert [str(each) for each in ours] == [str(each) for each in other]
    else:
        np.testing.assert_array_equal(ours, other, err_msg=name)


CASES = {
    "steps": (SCALED_TREE, DEPTHS, X, y, {}),
    "scores of columns": (
        make_pipeline(SelectKBest(), DecisionTreeClassifier(random_state=0)),
        {"selectkbest__k": [1, 3]},
        X,
        y,
        {},
    ),
    "rounds": (BOOSTER, ROUNDS, X, y, {}),
    "rounds, by the model's own score": (
        XGBRegressor(random_state=0, n_jobs=1),
        {"n_estimators": [2, 5]},
        X,
        X[:, 0],
        {},
    ),
    "several scorers": (BOOSTER, ROUNDS, X, y, {"scoring": ["accuracy", "neg_log_loss"], "refit": "accuracy"}),
    "a table and a series": (SCALED_TREE, DEPTHS, pd.DataFrame(X).add_prefix("c"), pd.Series(y), {}),
    "labels that are text": (SCALED_TREE, DEPTHS, X, np.array(list("abc"))[y], {}),
    "sparse": (LogisticRegression(), {"C": [0.1, 1]}, sp.csr_matrix(X), y, {}),
    "lists": (SCALED_TREE, DEPTHS, X.tolist(), y.tolist(), {}),
    "a kernel": (SVC(kernel="precomputed"), {"C": [0.1, 1]}, X @ X.T, y, {}),
    "several targets": (DecisionTreeRegressor(random_state=0), {"max_depth": [1, 2]}, X, X[:, :2], {}),
    "no target": (KMeans(2, random_state=0, n_init=1), {"n_clusters": [2, 3]}, X, None, {}),
    "steps as choices": (STEPS, {"scale": [StandardScaler(), MinMaxScaler(), "passthrough"]}, X, y, {}),
    "training scores": (SCALED_TREE, DEPTHS, X, y, {"return_train_score": True}),
    "a scorer of one's own": (SCALED_TREE, DEPTHS, X, y, {"scoring": lambda model, X, y: float(model.score(X, y) / 2)}),
    "random splits": (SCALED_TREE, DEPTHS, X, y, {"cv": theirs.ShuffleSplit(3, random_state=0)}),
    "splits as they are": (SCALED_TREE, DEPTHS, X, y, {"cv": [(np.arange(60), np.arange(60, 90))]}),
    "no refit": (Ridge(), {"alpha": [0, 1]}, X, X[:, 0], {"refit": False}),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
@pytest.mark.filterwarnings("ignore")
def test_the_table_is_theirs(case):
    model, grid, rows, target, more = case
    other = theirs.GridSearchCV(model, grid, **more).fit(rows, target)
    assert same(gridfold.GridSearchCV(model, grid, cores=1, **more).fit(rows, target), other)


@pytest.mark.parametrize("case", ["steps", "rounds", "lists", "a scorer of one's own", "steps as choices"])
def test_so_it_is_with_several_cores(case, monkeypatch):
    monkeypatch.setattr(fits, "_SMALL", -1)
    model, grid, rows, target, more = CASES[case]
    ours = gridfold.GridSearchCV(model, grid, cores=2, **more).fit(rows, target)
    assert same(ours, theirs.GridSearchCV(model, grid, **more).fit(rows, target))


@pytest.mark.parametrize(("model", "grid"), [(SCALED_TREE, DEPTHS), (BOOSTER, ROUNDS)])
def test_weights_go_where_they_go_on_theirs(model, grid):
    names = {"sample_weight": WEIGHTS} if model is BOOSTER else {"decisiontreeclassifier__sample_weight": WEIGHTS}
    other = theirs.GridSearchCV(model, grid, scoring="accuracy").fit(X, y, **names)
    assert same(gridfold.GridSearchCV(model, grid, scoring="accuracy", cores=1).fit(X, y, **names), other)


@pytest.mark.parametrize(("rows", "target"), [(X, y), (sp.csr_matrix(X), y), (pd.DataFrame(X), pd.Series(y))])
def test_candidates_that_can_share_a_fit_do(rows, target):
    search = gridfold.GridSearchCV(BOOSTER, ROUNDS, cv=3, cores=1).fit(rows, target)
    assert search.how_it_ran.startswith("6 fits for 6 candidates on 3 folds")


def test_draws_are_theirs():
    drawn = {"decisiontreeclassifier__max_depth": range(1, 9)}
    given = {"n_iter": 4, "random_state": 3}
    other = theirs.RandomizedSearchCV(SCALED_TREE, drawn, **given).fit(X, y)
    assert same(gridfold.RandomizedSearchCV(SCALED_TREE, drawn, cores=1, **given).fit(X, y), other)


@pytest.mark.filterwarnings("ignore")
def test_halving_is_theirs():
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401

    given = {"random_state": 0, "cv": 2, "factor": 2}
    other = theirs.HalvingGridSearchCV(SCALED_TREE, DEPTHS, **given).fit(X, y)
    assert same(gridfold.HalvingGridSearchCV(SCALED_TREE, DEPTHS, cores=1, **given).fit(X, y), other)


@pytest.mark.parametrize("cores", [1, 2])
def test_failures_are_told_in_their_words(cores, monkeypatch):
    monkeypatch.setattr(fits, "_SMALL", -1)
    search = gridfold.GridSearchCV(Moody(), {"mood": ["calm", "bad"]}, error_score=-1.0, cores=cores)
    with pytest.warns(FitFailedWarning, match="ValueError: bad"):
        search.fit(X, y)
    assert search.cv_results_["mean_test_score"][1] == -1
    with pytest.raises(ValueError, match="bad"):
        search.set_params(error_score="raise").fit(X, y)


def test_what_every_fit_refuses_is_refused_as_on_theirs():
    text = np.array(list("abc"))[y]
    for module in (gridfold, theirs):
        with pytest.raises(ValueError, match=r"(?s)All the 10 fits failed.*Invalid classes inferred"):
            module.GridSearchCV(BOOSTER, {"max_depth": [1, 2]}).fit(X, text)


def test_a_backend_that_is_active_is_used():
    with joblib.parallel_config("threading"):
        search = gridfold.GridSearchCV(SCALED_TREE, DEPTHS).fit(X, y)
    assert "ThreadingBackend" in search.how_it_ran
    assert same(search, theirs.GridSearchCV(SCALED_TREE, DEPTHS).fit(X, y))


def test_a_subclass_of_the_users_own_keeps_its_parameters():
    class Own(gridfold.GridSearchCV):
        def __init__(self, estimator, param_grid, *, flavour="plain"):
            super().__init__(estimator, param_grid, cores=1)
            self.flavour = flavour

    assert Own(SCALED_TREE, DEPTHS, flavour="mint").fit(X, y).flavour == "mint"


def test_an_engine_that_there_is_not_is_refused_as_scikit_learn_does():
    with pytest.raises(ValueError, match="'engine' parameter of GridSearchCV"):
        gridfold.GridSearchCV(SCALED_TREE, DEPTHS, engine="sprak").fit(X, y)
