"""An address changes with whatever decides a cell's scores, and with nothing else."""

from __future__ import annotations

import os
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import tuning.cells
import tuning.versions
from tuning import Candidate, Dataset, FoldScore, SweepSpec, Workload, open_engine, sweep
from tuning.cells import Cells, from_record, to_record
from tuning.spec.modules import look_beside

N_ROWS = 24
Y = np.arange(N_ROWS) % 2
X = np.random.default_rng(0).normal(size=(N_ROWS, 3)).astype(np.float32)
SPEC = {
    "estimator": "sklearn.ensemble.RandomForestClassifier",
    "fixed": {"random_state": 0, "max_features": 1},
    "grid": {"max_depth": [1, 2], "n_estimators": [2, 3]},
    "scoring": "accuracy",
    "cv": {"folds": 3, "shuffle": True, "seed": 0},
}
CANDIDATE = {"max_depth": 1, "n_estimators": 2}


def data(X=X, y=Y, **more):
    return Dataset(X, y, np.unique(y), **more)


def address(changes=None, candidate=None, rows=None, fold=1, **share):
    spec = SweepSpec(**{**SPEC, **(changes or {})})
    cells = Cells(spec, Workload.for_spec(spec, rows or data()))
    return cells.address(Candidate(CANDIDATE if candidate is None else candidate), fold, **share)


def altered(array, value):
    array = array.copy()
    array[3] = value
    return array


WEIGHTS = np.ones(N_ROWS)


@pytest.mark.parametrize(
    ("rows", "other"),
    [
        pytest.param(data(), data(altered(X, 7.0)), id="a value"),
        pytest.param(data(), data(X.astype(np.float64)), id="the type of the values"),
        pytest.param(data(), data(np.asfortranarray(X)), id="the layout, which decides how sums are rounded"),
        pytest.param(data(), data(y=altered(Y, 0)), id="a label"),
        pytest.param(data(), replace(data(), classes=np.array([5, 6])), id="the classes' names"),
        pytest.param(data(), data(sample_weight=WEIGHTS), id="whether there are weights"),
        pytest.param(data(sample_weight=WEIGHTS), data(sample_weight=altered(WEIGHTS, 2.0)), id="a weight"),
        pytest.param(data(sp.csr_matrix(X)), data(sp.csr_matrix(altered(X, 7.0))), id="a value of a sparse matrix"),
        pytest.param(data(sp.csr_matrix(X)), data(sp.csr_matrix(X[:, [1, 0, 2]])), id="the columns' order"),
        pytest.param(data(pd.DataFrame(X)), data(pd.DataFrame(X, columns=["p", "q", "r"])), id="a table's names"),
    ],
)
def test_rows_are_part_of_it(rows, other):
    assert address(rows=rows) != address(rows=other)


def table(**columns):
    return data(pd.DataFrame({"n": np.arange(N_ROWS), **columns}))


@pytest.mark.parametrize(
    ("rows", "other"),
    [
        (table(t=["a"] * N_ROWS), table(t=["a"] * (N_ROWS - 1) + ["b"])),
        (table(t=["1"] * N_ROWS), table(t=[1] * N_ROWS)),
        (table(t=pd.Categorical(["a", "b"] * 12)), table(t=pd.Categorical(["b", "a"] * 12))),
        (table(t=pd.Categorical(["a", "b"] * 12)), table(t=pd.Categorical(["a", "b"] * 12, categories=["b", "a"]))),
        (table(t=pd.array([1, None] * 12, dtype="Int64")), table(t=pd.array([1, 2] * 12, dtype="Int64"))),
        (table(t=pd.date_range("2020", periods=N_ROWS)), table(t=pd.date_range("2021", periods=N_ROWS))),
        (table(t=pd.date_range("2020", periods=N_ROWS, tz="UTC")), table(t=pd.date_range("2020", periods=N_ROWS))),
        (table(t=[None, "x"] * 12), table(t=["None", "x"] * 12)),
    ],
    ids=["text", "text or number", "category", "order of categories", "missing", "date", "time zone", "none"],
)
def test_every_type_of_column_is_told_apart(rows, other):
    assert address(rows=rows) != address(rows=other)
    assert address(rows=rows) == address(rows=replace(rows, X=rows.X.copy()))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"estimator": "sklearn.ensemble.ExtraTreesClassifier"}, id="estimator"),
        pytest.param({"fixed": {"random_state": 1, "max_features": 1}}, id="seed"),
        pytest.param({"fixed": {"random_state": 0, "max_features": 2}}, id="a fixed parameter"),
        pytest.param({"fixed": {"random_state": 0, "max_features": 1.0}}, id="a whole number or a fraction"),
        pytest.param({"fixed": {"random_state": 0}}, id="a fixed parameter less"),
        pytest.param({"scoring": "balanced_accuracy"}, id="scorer"),
        pytest.param({"scoring": ["accuracy", "f1"], "refit": "accuracy"}, id="a scorer more"),
        pytest.param({"scoring": {"accuracy": {"scorer": "f1"}}}, id="a scorer under the name of another"),
        pytest.param({"scoring": {"f": {"scorer": "fbeta_score", "beta": 2}}}, id="an object as scorer"),
        pytest.param({"cv": {"folds": 3, "shuffle": True, "seed": 1}}, id="seed of the folds"),
        pytest.param({"cv": {"folds": 4, "shuffle": True, "seed": 0}}, id="number of folds"),
    ],
)
def test_what_the_spec_asks_for_is_part_of_it(changes):
    assert address(changes) != address()


def test_a_parameter_of_a_scorer_is_part_of_it():
    scored = [address({"scoring": {"f": {"scorer": "fbeta_score", "beta": beta}}}) for beta in (1, 2)]
    assert scored[0] != scored[1]


@pytest.mark.parametrize(
    "candidate",
    [
        {"max_depth": 2, "n_estimators": 2},
        {"max_depth": 1, "n_estimators": 3},
        {"max_depth": 1},
        {"max_depth": None, "n_estimators": 2},
        {"max_depth": True, "n_estimators": 2},
        {"max_depth": 1.0, "n_estimators": 2},
        {"max_depth": "1", "n_estimators": 2},
    ],
)
def test_a_candidates_parameters_are_part_of_it_with_their_types(candidate):
    assert address(candidate=candidate) != address()


def test_fold_and_share_are_part_of_it():
    seen = [address(), address(fold=0), address(rows=None, rounds=0.5)]
    spec = SweepSpec(**SPEC)
    cells = Cells(spec, Workload.for_spec(spec, data()))
    seen += [cells.address(Candidate(CANDIDATE), 1, rows=share) for share in (0.5, 0.25)]
    assert len(set(seen)) == 5
    assert address(rows=None, rounds=1.0) == address()


def test_a_share_is_drawn_anew_on_every_fold_even_of_the_same_rows():
    spec = SweepSpec(**SPEC)
    workload = Workload.for_spec(spec, data())
    twice = Cells(spec, replace(workload, folds=(workload.folds[0],) * 2))
    whole, half = ([twice.address(Candidate(CANDIDATE), fold, rows=share) for fold in (0, 1)] for share in (1.0, 0.5))
    assert whole[0] == whole[1]
    assert half[0] != half[1]


EARLY = {
    "estimator": "xgboost.XGBClassifier",
    "fixed": {"n_estimators": 9},
    "grid": {"max_depth": [1, 2]},
    "scoring": ["accuracy", "neg_log_loss"],
    "refit": "accuracy",
}


def test_early_stopping_is_part_of_it_and_so_is_the_scorer_that_it_follows():
    stops = {"early_stopping": {"patience": 5}}
    seen = [
        address({**EARLY, **more}, {"max_depth": 1})
        for more in (
            {},
            stops,
            {"early_stopping": {"patience": 6}},
            {**stops, "refit": "neg_log_loss"},
        )
    ]
    assert len(set(seen)) == 4


def test_who_wins_is_not_part_of_it_where_every_scorer_sees_the_whole_model():
    assert address(EARLY, {"max_depth": 1}) == address({**EARLY, "refit": "neg_log_loss"}, {"max_depth": 1})


def test_versions_of_the_libraries_that_fit_are_part_of_it(monkeypatch):
    known = tuning.versions.version_of
    booster = {"estimator": "xgboost.XGBClassifier", "fixed": {}}
    before, boosted = address(), address(booster)
    for package in ("numpy", "scipy", "sklearn", "xgboost"):
        monkeypatch.setattr(tuning.versions, "version_of", lambda name, p=package: "9.9" if name == p else known(name))
        assert (address() != before) == (package != "xgboost")
        assert address(booster) != boosted


def test_the_version_of_a_step_that_only_a_candidate_names_is_part_of_that_candidates(monkeypatch):
    known = tuning.versions.version_of
    piped = {
        "estimator": [{"scale": "sklearn.preprocessing.StandardScaler"}, {"model": "sklearn.svm.SVC"}],
        "fixed": {},
        "grid": {"model": [{"class": "xgboost.XGBClassifier"}, {"class": "sklearn.svm.SVC"}]},
    }
    candidates = [{"model": value} for value in piped["grid"]["model"]]
    before = [address(piped, each) for each in candidates]
    monkeypatch.setattr(tuning.versions, "version_of", lambda name: "9.9" if name == "xgboost" else known(name))
    after = [address(piped, each) for each in candidates]
    assert (before[0] == after[0], before[1] == after[1]) == (False, True)


def test_python_and_machine_are_part_of_it(monkeypatch):
    before = address()
    monkeypatch.setattr(tuning.versions, "python_and_machine", lambda: "another")
    assert address() != before


def test_our_own_code_is_part_of_it(monkeypatch):
    before = address()
    monkeypatch.setattr(tuning.cells, "our_code", lambda: "edited")
    assert address() != before


MODULE = """
from sklearn.linear_model import LogisticRegression
from more_of_mine import C
class Mine(LogisticRegression):
    pass
def cost(y_true, y_pred):
    return {cost}
"""


@pytest.fixture
def mine(tmp_path):
    """A function that writes the user's own modules and returns an address that hangs on them."""

    def asked(cost=1, c=1, also="", **changes):
        for name in ("mine_of_cells", "more_of_mine"):
            sys.modules.pop(name, None)
        (tmp_path / "mine_of_cells.py").write_text(MODULE.format(cost=cost) + also)
        (tmp_path / "more_of_mine.py").write_text(f"C = {c}\n")
        look_beside(tmp_path / "space.yaml")
        return address({"fixed": {}, "grid": {}, **changes}, {})

    yield asked
    for name in ("mine_of_cells", "more_of_mine"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"estimator": "mine_of_cells.Mine"},
        {"scoring": {"cost": {"function": "mine_of_cells.cost"}}},
    ],
)
def test_the_users_own_modules_are_part_of_it_those_that_they_import_too(mine, tmp_path, changes):
    changes = {"estimator": "sklearn.linear_model.LogisticRegression", **changes, "grid": {"C": [1]}}
    before = mine(**changes)
    assert mine(cost=2, **changes) != before
    assert mine(c=2, **changes) != before
    assert mine(also="# a word\n", **changes) != before
    os.utime(tmp_path / "mine_of_cells.py", (1, 1))
    assert mine(**changes) == before


def test_an_own_module_that_nothing_names_is_not_part_of_it(mine):
    changes = {"estimator": "sklearn.linear_model.LogisticRegression", "grid": {"C": [1]}}
    assert mine(**changes) == mine(cost=2, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"fixed": {"max_features": 1, "random_state": 0}}, id="order of keys"),
        pytest.param({"grid": {"n_estimators": [3, 2], "max_depth": [5, 2, 1]}}, id="the rest of the grid"),
        pytest.param(
            {"fixed": {"random_state": 0}, "grid": {"max_features": [1], "max_depth": [1], "n_estimators": [2]}},
            id="fixed or the only value",
        ),
        pytest.param({"estimator": {"class": SPEC["estimator"]}}, id="a path or an object"),
        pytest.param({"scoring": ["accuracy"]}, id="a scorer or a list of one"),
        pytest.param({"search": {"strategy": "racing"}}, id="strategy"),
        pytest.param({"budget": {"max_time": "1h", "cores": 1}}, id="budget"),
        pytest.param({"verify": 2}, id="verify"),
        pytest.param({"refit": {"scorer": "accuracy", "rule": "one_standard_error"}}, id="rule"),
    ],
)
def test_what_decides_no_score_is_not_part_of_it(changes):
    candidate = {"n_estimators": 2, "max_depth": 1}
    if "max_features" in changes.get("grid", {}):
        candidate["max_features"] = 1
    assert address(changes, candidate) == address()


def test_the_order_of_scorers_is_not_part_of_it():
    both = {"refit": "f1"}
    assert address({"scoring": ["f1", "accuracy"], **both}) == address({"scoring": ["accuracy", "f1"], **both})


def test_groups_are_seen_in_the_folds_alone():
    groups = np.arange(N_ROWS) // 2
    assert address(rows=data(groups=groups)) == address(rows=data(groups=groups + 100))
    assert address(rows=data(groups=groups)) != address(rows=data(groups=groups // 2))


def test_a_whole_step_and_its_parameters_keep_their_order():
    piped = {"estimator": [{"scale": "sklearn.preprocessing.StandardScaler"}, {"model": "sklearn.svm.SVC"}]}
    step = {"class": "sklearn.svm.SVC", "C": 3}
    one = address({**piped, "fixed": {"model__C": 2}, "grid": {"model": [step]}}, {"model": step})
    other = address({**piped, "fixed": {"model": step}, "grid": {"model__C": [2]}}, {"model__C": 2})
    assert one != other


class Heard:
    """A memory that knows nothing and notes what it is told."""

    def __init__(self):
        self.records = {}

    def open(self, cells):
        pass

    def find(self, addresses):
        return {}

    def begin(self, addresses):
        pass

    def suspects(self):
        return set()

    def keep(self, records, lost):
        self.records |= records


def test_cores_and_engine_are_not_part_of_it():
    heard = [Heard(), Heard()]
    for cores, memory in zip((1, 2), heard, strict=True):
        with open_engine("local", cores) as engine:
            sweep(SweepSpec(**SPEC), data(), engine, memory=memory)
    assert heard[0].records.keys() == heard[1].records.keys()
    assert len(heard[0].records) == 12


@pytest.mark.parametrize(
    "score",
    [
        FoldScore(Candidate(CANDIDATE), 2, {"a": 1 / 3, "b": float("inf")}, 0.1, 0.2, share=0.25, shared="why"),
        FoldScore(Candidate(CANDIDATE), 0, error="ValueError: no", warning="UserWarning: hm"),
        FoldScore(Candidate(CANDIDATE), 0, {"a": 0.5}, curves={"a": [0.25, 0.5], "b": [1.0, 2.0]}),
    ],
)
def test_a_record_gives_its_score_back(score):
    assert from_record(to_record(score), score.candidate, score.fold, "x") == replace(score, cell="x", reused=True)


@pytest.mark.parametrize(
    "record",
    [{}, {"seconds": [1]}, {"seconds": [1, 2], "share": "all"}, {"seconds": [1, 2], "share": 1, "scores": [1]}],
)
def test_what_is_no_record_gives_nothing(record):
    assert from_record(record, Candidate(CANDIDATE), 0, "x") is None


def test_alone_a_fit_takes_all_rounds_which_only_early_stopping_does_not():
    boosted = {"estimator": "xgboost.XGBClassifier", "fixed": {"n_estimators": 9}, "grid": {"max_depth": [1, 2]}}
    stops, depth = boosted | {"early_stopping": {"patience": 2}}, {"max_depth": 1}
    assert address(boosted, depth) == address(boosted, depth, alone=True)
    assert address(stops, depth) != address(stops, depth, alone=True)
