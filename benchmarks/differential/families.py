"""The estimators that are drawn: a dotted path, what it is told, what varies, and what it can do.

Families take turns, so that as many consecutive seeds as there are families have each of them. A new family is one
entry of ``FAMILIES``. What a family cannot do is drawn now and then all the same, for a refusal or
an error must be the same on both sides too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Literal

from benchmarks.differential.drawing import Named, Object

Task = Literal["classes", "numbers"]

CLASS_WEIGHT = ("by class",)
"""Stands for weights by class, which depend on the labels that are drawn."""


@dataclass(frozen=True)
class Family:
    """Estimators of one kind.

    Attributes
    ----------
    name : str
    path : str
        Dotted, of the class.
    task : str
    needs : mapping of str to object
        What it cannot be built without, which is told where it is named.
    fixed : mapping of str to object
        What every spec tells it.
    knobs : mapping of str to sequence
        What may vary; the first name varies most often.
    bad : mapping of str to object
        Values that it refuses, for candidates that fail.
    response : str
        The most that scorers can ask of it: "predict_proba", "decision_function" or "predict".
    can : frozenset of str
        Of "missing", "sparse", "categories" and "weights".
    own_labels : bool
        Whether it learns from the labels as they are; else from the codes 0, 1 ...
    keyed_by_code : bool
        Whether its weights by class are keyed by the codes, whatever its documentation says, so that for other labels
        nobody can say what is right.
    tolerance : float
        How far a split score may be from the peer's; 0 is bit for bit.
    stops_early : bool
        Whether ``early_stopping`` can choose its rounds.
    share : int
        Its turns, while others have one.
    """

    name: str
    path: str
    task: Task
    fixed: Mapping[str, Any] = field(default_factory=dict)
    knobs: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    bad: Mapping[str, Any] = field(default_factory=dict)
    response: str = "predict_proba"
    can: frozenset[str] = frozenset({"sparse", "weights"})
    own_labels: bool = True
    keyed_by_code: bool = False
    tolerance: float = 0.0
    stops_early: bool = False
    share: int = 1
    needs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_here(self) -> bool:
        """Whether its library is installed."""
        return find_spec(self.path.partition(".")[0]) is not None


_ANY = frozenset({"missing", "sparse", "weights"})
_DEPTH = {"max_depth": [2, 3, 5, None], "min_samples_leaf": [1, 2, 5]}
_ALPHA = {"ccp_alpha": [0.0, 1e-3, 1e-2, 0.05]}
_SIZE = {"n_estimators": [1, 2, 3, 5]}
_SEED = {"random_state": 0}
_WEIGHTS: dict[str, Sequence[Any]] = {"class_weight": CLASS_WEIGHT}
_NO_SIZE = {"n_estimators": 0}
_ROUNDS = {"n_estimators": [0, 1, 3, 6, 10, 15], "max_depth": [2, 3, 4], "learning_rate": [0.1, 0.3, 1.0]}
_BOOSTED = {
    **_ROUNDS,
    "subsample": [0.6, 1.0],
    "colsample_bytree": [0.5, 1.0],
    "reg_lambda": [1e-2, 1.0, 5.0],
    "min_child_weight": [1, 3],
    "max_bin": [16, 256],
}
_RIDGE = {"alpha": [1e-4, 1e-3, 1e-2, 0.1, 10.0], "fit_intercept": [True, False]}


def _sk(name: str, path: str, task: Task, **more: Any) -> Family:
    return Family(name, f"sklearn.{path}", task, **more)


def _trees(task: Task) -> list[Family]:
    ending, weights = ("Classifier", _WEIGHTS) if task == "classes" else ("Regressor", {})
    grown = {**_SIZE, **_DEPTH, **_ALPHA, **weights, "max_features": [0.5, 1.0, "sqrt"], "bootstrap": [True, False]}
    bagged = {**_SIZE, "max_samples": [0.5, 0.8, 1.0], "max_features": [0.5, 1.0]}
    boosted = {**_SIZE, "learning_rate": [1e-2, 0.1, 1.0], "subsample": [0.5, 1.0], "max_depth": [1, 2, 3]}
    binned = {"max_iter": [1, 3, 5, 8], "learning_rate": [1e-2, 0.1, 1.0], "max_leaf_nodes": [3, 7], **weights}
    response = "predict_proba" if task == "classes" else "predict"
    common: dict[str, Any] = {"fixed": _SEED, "response": response}
    return [
        _sk(f"tree {task}", f"tree.DecisionTree{ending}", task, **common, can=_ANY, bad={"max_depth": 0},
            knobs={**_ALPHA, **_DEPTH, **weights}),
        _sk(f"forest {task}", f"ensemble.RandomForest{ending}", task, **common, can=_ANY, knobs=grown, bad=_NO_SIZE),
        _sk(f"extra trees {task}", f"ensemble.ExtraTrees{ending}", task, **common, can=_ANY, knobs=grown, bad=_NO_SIZE),
        _sk(f"bagging {task}", f"ensemble.Bagging{ending}", task, **common, can=_ANY, knobs=bagged, bad=_NO_SIZE),
        _sk(f"gradient boosting {task}", f"ensemble.GradientBoosting{ending}", task, **common, knobs=boosted,
            bad={"learning_rate": -1.0}),
        _sk(f"histogram boosting {task}", f"ensemble.HistGradientBoosting{ending}", task,
            fixed={**_SEED, "min_samples_leaf": 5}, response=response, knobs=binned, bad={"max_iter": 0},
            can=frozenset({"missing", "categories", "weights"}), keyed_by_code=True),
        _sk(f"adaboost {task}", f"ensemble.AdaBoost{ending}", task, **common,
            knobs={**_SIZE, "learning_rate": [1e-2, 0.5, 1.0]}, bad=_NO_SIZE),
    ]  # fmt: skip


def _xgboost(task: Task) -> list[Family]:
    path = "xgboost.XGBClassifier" if task == "classes" else "xgboost.XGBRegressor"
    response = "predict_proba" if task == "classes" else "predict"

    def one(
        name: str, fixed: Mapping[str, Any], knobs: Mapping[str, Any], categories: bool, stops: bool, share: int = 1
    ) -> Family:
        can = _ANY | {"categories"} if categories else _ANY
        return Family(f"xgboost {name} {task}", path, task, {**_SEED, **fixed}, knobs, {"learning_rate": "fast"},
                      response, can, own_labels=False, tolerance=1e-6, stops_early=stops, share=share)  # fmt: skip

    without_bins = {name: values for name, values in _BOOSTED.items() if name != "max_bin"}
    kinds = [
        one("plain", {}, _BOOSTED, True, True),
        one("hist", {"tree_method": "hist", "n_estimators": 12}, _BOOSTED, True, True),
        one("approx", {"tree_method": "approx", "n_estimators": 6}, _BOOSTED, True, True),
        one("exact", {"tree_method": "exact", "n_estimators": 6}, without_bins, False, True),
        one("dart", {"booster": "dart", "rate_drop": 0.5, "n_estimators": 6}, _ROUNDS, True, False),
        one("linear", {"booster": "gblinear", "updater": "coord_descent"},
            {"n_estimators": [1, 3, 6, 0], "reg_lambda": [1e-3, 0.1, 1.0], "learning_rate": [0.1, 0.5]}, False, False),
    ]  # fmt: skip
    if task == "numbers":
        absolute = {"objective": "reg:absoluteerror", "n_estimators": 8}
        return [*kinds, one("absolute error", absolute, _BOOSTED, True, True)]
    softprob, softmax = {"objective": "multi:softprob"}, {"objective": "multi:softmax", "n_estimators": 10}
    return [
        *kinds,
        one("softprob", softprob, _BOOSTED, True, True),
        one("softmax", softmax, _BOOSTED, True, True, share=4),
    ]


def _other_boosters(task: Task) -> list[Family]:
    ending, weights = ("Classifier", _WEIGHTS) if task == "classes" else ("Regressor", {})
    response = "predict_proba" if task == "classes" else "predict"
    light: dict[str, Sequence[Any]] = {**_SIZE, "num_leaves": [3, 7], "learning_rate": [1e-2, 0.1, 1.0], **weights}
    cat: dict[str, Sequence[Any]] = {"iterations": [1, 3, 6], "depth": [2, 3], "learning_rate": [1e-2, 0.1, 1.0]}
    quiet = {"verbose": False, "allow_writing_files": False, "thread_count": 1}
    return [
        Family(f"lightgbm {task}", f"lightgbm.LGBM{ending}", task, {**_SEED, "verbosity": -1, "min_child_samples": 5},
               light, {"num_leaves": 0}, response, _ANY),
        Family(f"catboost {task}", f"catboost.CatBoost{ending}", task, {**_SEED, **quiet}, cat, {"depth": 99},
               response, _ANY),
    ]  # fmt: skip


def _nested() -> list[Family]:
    tree = "sklearn.tree.DecisionTree"
    grown = Object(f"{tree}Classifier", {"max_depth": 2, "random_state": 0})
    stumps = [Object(f"{tree}Classifier", {"max_depth": depth, "random_state": 0}) for depth in (1, 2)]
    line = "sklearn.linear_model.LogisticRegression"
    two = Named({"tree": grown, "bayes": Object("sklearn.naive_bayes.GaussianNB")})
    mixed = Named(
        {"tree": Object(f"{tree}Regressor", {"random_state": 0}), "line": Object("sklearn.linear_model.Ridge")}
    )
    depths = {"tree__max_depth": [1, 2, 3]}
    alone: dict[str, Any] = {"can": frozenset({"sparse"})}
    return [
        _sk("bagged trees", "ensemble.BaggingClassifier", "classes", fixed={**_SEED, "estimator": grown}, **alone,
            knobs={"estimator__max_depth": [1, 2, 3], **_SIZE, "estimator__class_weight": CLASS_WEIGHT}, bad=_NO_SIZE),
        _sk("boosted objects", "ensemble.AdaBoostClassifier", "classes", fixed=_SEED, **alone, bad=_NO_SIZE,
            knobs={"estimator": [*stumps, Object(line, {"C": 1e-2})], **_SIZE}),
        _sk("calibrated", "calibration.CalibratedClassifierCV", "classes", **alone, bad={"method": "none"},
            fixed={"estimator": Object("sklearn.svm.LinearSVC", {"random_state": 0}), "cv": 2},
            knobs={"estimator__C": [1e-3, 1e-2, 1.0], "method": ["sigmoid", "isotonic"]}),
        _sk("stacked", "ensemble.StackingClassifier", "classes", fixed={"cv": 2}, needs={"estimators": two},
            can=frozenset(), bad={"tree__max_depth": 0},
            knobs={"final_estimator": [Object(line, {"C": 1e-2}), Object(line, {"C": 1.0}), grown], **depths}),
        _sk("voted", "ensemble.VotingRegressor", "numbers", needs={"estimators": mixed}, response="predict", **alone,
            knobs={**depths, "line__alpha": [1e-3, 1.0]}, bad={"tree__max_depth": 0}),
        _sk("transformed target", "compose.TransformedTargetRegressor", "numbers", response="predict", **alone,
            fixed={"regressor": Object("sklearn.linear_model.Ridge"),
                   "transformer": Object("sklearn.preprocessing.StandardScaler")},
            knobs={"regressor__alpha": [1e-3, 0.1, 10.0]}, bad={"regressor__alpha": -1.0}),
    ]  # fmt: skip


_INVERSE = {"C": [1e-3, 1e-2, 0.1, 1.0, 10.0]}
_DESCENT = {"alpha": [1e-4, 1e-3, 1e-2], "penalty": ["l2", "l1", "elasticnet"]}
_NEIGHBOURS = {"n_neighbors": [1, 3, 5, 8], "weights": ["uniform", "distance"], "p": [1, 2]}
_KERNEL = {**_INVERSE, "kernel": ["rbf", "linear", "poly"], "gamma": ["scale", 1e-2, 0.1]}
_NEAR: dict[str, Any] = {"knobs": _NEIGHBOURS, "bad": {"n_neighbors": 5000}, "can": frozenset({"sparse"})}

FAMILIES: Sequence[Family] = [
    _sk("logistic", "linear_model.LogisticRegression", "classes", fixed={"max_iter": 200},
        knobs={**_INVERSE, **_WEIGHTS, "fit_intercept": [True, False]}, bad={"C": -1.0}, share=3),
    _sk("sgd classes", "linear_model.SGDClassifier", "classes", fixed={**_SEED, "loss": "log_loss"},
        knobs={**_DESCENT, **_WEIGHTS}, bad={"alpha": -1.0}),
    _sk("hinge", "linear_model.SGDClassifier", "classes", fixed=_SEED, knobs={**_DESCENT, **_WEIGHTS},
        response="decision_function", bad={"alpha": -1.0}),
    _sk("svc", "svm.SVC", "classes", knobs={**_KERNEL, **_WEIGHTS}, response="decision_function", bad={"C": -1.0}),
    _sk("neighbours classes", "neighbors.KNeighborsClassifier", "classes", **_NEAR),
    _sk("bayes", "naive_bayes.GaussianNB", "classes", knobs={"var_smoothing": [1e-9, 1e-6, 1e-2]},
        can=frozenset({"weights"}), bad={"var_smoothing": -1.0}),
    _sk("dummy classes", "dummy.DummyClassifier", "classes", fixed=_SEED, can=_ANY,
        knobs={"strategy": ["prior", "most_frequent", "stratified", "uniform"]}, bad={"strategy": "none"}),
    _sk("ridge", "linear_model.Ridge", "numbers", knobs=_RIDGE, response="predict", bad={"alpha": -1.0}),
    _sk("lasso", "linear_model.Lasso", "numbers", knobs=_RIDGE, response="predict", bad={"alpha": -1.0}),
    _sk("sgd numbers", "linear_model.SGDRegressor", "numbers", fixed=_SEED, knobs=_DESCENT, response="predict",
        bad={"alpha": -1.0}),
    _sk("svr", "svm.SVR", "numbers", knobs=_KERNEL, response="predict", bad={"C": -1.0}),
    _sk("neighbours numbers", "neighbors.KNeighborsRegressor", "numbers", **_NEAR, response="predict"),
    _sk("dummy numbers", "dummy.DummyRegressor", "numbers", knobs={"strategy": ["mean", "median"]}, can=_ANY,
        response="predict", bad={"strategy": "none"}),
    *_trees("classes"), *_trees("numbers"),
    *_xgboost("classes"), *_xgboost("numbers"),
    *_other_boosters("classes"), *_other_boosters("numbers"),
    *_nested(),
]  # fmt: skip


def family_of(seed: int) -> Family:
    """Return the family whose turn it is; where its library is not installed, the next that is."""
    turns = [family for family in FAMILIES for _ in range(family.share)]
    stride = next(stride for stride in range(17, len(turns) + 17) if math.gcd(stride, len(turns)) == 1)
    after = (turns[(seed * stride + place) % len(turns)] for place in range(len(turns)))
    return next(family for family in after if family.is_here)
