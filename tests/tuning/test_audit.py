"""What an audit finds in rows that were made to have it, and that it is silent about the same rows without it."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from gridfold.errors import SpecError as Refused
from sklearn import datasets

from errors import SpecError
from gridfold import sweep
from tuning import Dataset, SweepSpec
from tuning.audit import audited, refuse_if_strict
from tuning.audit.keys import row_keys
from tuning.audit.table import Audited

N = 3000
LOGISTIC = {
    "estimator": "sklearn.linear_model.LogisticRegression",
    "grid": {"C": [1.0]},
    "scoring": "accuracy",
    "cv": {"folds": 3},
}
RIDGE = {**LOGISTIC, "estimator": "sklearn.linear_model.Ridge", "grid": {"alpha": [1.0]}, "scoring": "r2"}
DRAW = np.random.default_rng(0)


@pytest.fixture(scope="module")
def frame():
    """Numbers, whole numbers, text, gaps and dates of no order, on which the target depends a little."""
    numbers = pd.DataFrame(DRAW.normal(size=(N, 4)), columns=["a", "b", "c", "d"])
    numbers.loc[::7, "b"] = np.nan
    return numbers.assign(
        age=DRAW.integers(18, 80, N),
        city=pd.Categorical(DRAW.choice(["Ulm", "Bern", "Graz"], N)),
        size=(numbers["a"] * 1000).round().astype(int),
    )


@pytest.fixture(scope="module")
def target(frame):
    return (frame["a"] + DRAW.normal(size=N) > 0).astype(int).to_numpy()


def rows_of(X, y, classes=True, **more):
    y = np.asarray(y)
    columns = [str(name) for name in X.columns] if hasattr(X, "columns") else ()
    return Dataset(X, y, np.unique(y) if classes else None, columns, **more)


def found(X, y, holdout=None, spec=LOGISTIC, **more):
    return audited(SweepSpec(**spec), rows_of(X, y, classes=spec is not RIDGE, **more), holdout)


def codes(*args, **more):
    return [each.code for each in found(*args, **more)]


def test_sound_rows_are_passed_in_silence(frame, target):
    assert codes(frame, target) == []
    assert codes(frame.drop(columns="city").to_numpy(), target) == []
    assert codes(frame, frame["a"] * 3 + DRAW.normal(size=N), spec=RIDGE) == []
    assert codes(sp.random(N, 500, 0.02, format="csr", random_state=0, dtype=np.float32), target) == []


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits", "diabetes"])
def test_scikit_learns_own_tables_are_passed_in_silence(name):
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True, as_frame=True)
    assert codes(X, y, spec=RIDGE if name == "diabetes" else LOGISTIC) == []


# --- GF201: copies ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["frame", "array", "sparse"])
def test_copies_across_folds_and_across_the_hold_out_are_named_by_their_ids(frame, target, kind):
    X = {
        "frame": frame,
        "array": frame.drop(columns="city").to_numpy(),
        "sparse": sp.random(N, 500, 0.02, format="csr", random_state=0, dtype=np.float32),
    }[kind]
    every = np.r_[np.arange(N), [5, 6, 7]]
    whole = rows_of(X, target, ids=np.arange(N) + 100_000).rows(every)
    whole = Dataset(**{**vars(whole), "ids": np.arange(N + 3) + 100_000})
    train, held = whole.rows(np.arange(N + 2)), whole.rows(np.array([N + 2]))
    (copied,) = audited(SweepSpec(**LOGISTIC), train, held)
    assert copied.code == "GF201"
    assert "1 of the hold-out have a copy among the training rows" in copied.words
    pairs = {(100_000 + original, 100_000 + copy) for original, copy in zip((5, 6, 7), range(N, N + 3), strict=True)}
    crossing = {pair for pair in pairs if pair[1] == 100_002 + N} | set(copied.rows)
    assert set(copied.rows) == crossing
    assert set(copied.rows) <= pairs


def test_copies_that_the_groups_keep_together_are_no_finding(frame, target):
    every = np.r_[np.arange(N), np.arange(50)]
    twice = rows_of(frame, target).rows(every)
    asked = SweepSpec(**LOGISTIC)
    assert [each.code for each in audited(asked, twice)] == ["GF201"]
    grouped = Dataset(**{**vars(twice), "groups": every})
    assert audited(asked, grouped) == []


def test_rows_of_few_words_that_are_alike_by_chance_are_no_copies():
    frame = pd.DataFrame({name: DRAW.integers(0, top, 900) for name, top in [("sex", 2), ("class", 3), ("age", 70)]})
    assert frame.duplicated().sum() > 100
    assert codes(frame, (frame["sex"] + (frame["class"] < 2) > 1).astype(int)) == []


def test_equal_rows_and_no_others_have_equal_keys(frame):
    with_minus = frame.assign(z=np.where(np.arange(N) % 2, 0.0, -0.0), m=np.arange(N) % 3)
    twice = pd.concat([with_minus, with_minus.sample(frac=1, random_state=0)], ignore_index=True)
    keys = row_keys(Audited(SweepSpec(**LOGISTIC), rows_of(twice, np.zeros(len(twice), dtype=int))))
    expected = twice.groupby(list(twice.columns), dropna=False, observed=True, sort=False).ngroup()
    assert len(np.unique(keys)) == expected.nunique()
    assert (pd.Series(keys).groupby(expected).nunique() == 1).all()
    dense = twice.drop(columns="city").fillna(0).to_numpy()
    y = np.zeros(len(twice), dtype=int)
    whole = np.ones(dense.shape[1], dtype=bool)
    as_sparse = row_keys(Audited(SweepSpec(**LOGISTIC), rows_of(sp.csr_matrix(dense), y)))
    assert np.array_equal(as_sparse, row_keys(Audited(SweepSpec(**LOGISTIC), rows_of(dense, y)), whole))


# --- GF202: groups ----------------------------------------------------------------------------------------------------


def of_patients(n_patients=500):
    """A target that belongs to patients rather than rows."""
    patient = DRAW.integers(0, n_patients, N)
    return patient, (DRAW.normal(size=n_patients)[patient] + 0.5 * DRAW.normal(size=N) > 0).astype(int)


@pytest.mark.parametrize("form", ["number", "text", "columns of ones"])
def test_a_column_of_patients_looks_like_an_undeclared_group(frame, form):
    patient, y = of_patients()
    if form == "columns of ones":
        (group,) = found(sp.csr_matrix(np.eye(500, dtype=np.float32)[patient]), y)
    else:
        values = patient * 7919 % 100_003 if form == "number" else pd.Categorical([f"P{each}" for each in patient])
        (group,) = found(frame.assign(patient=values), y)
        assert group.columns == ("patient",)
    assert group.code == "GF202"


def test_of_many_rows_a_part_speaks_for_columns_of_ones():
    patient = DRAW.integers(0, 1500, 3 * N)
    y = (DRAW.normal(size=1500)[patient] + 0.5 * DRAW.normal(size=3 * N) > 0).astype(int)
    ones = sp.csr_matrix((np.ones(3 * N, dtype=np.float32), (np.arange(3 * N), patient)))
    others = sp.random(3 * N, 200, 0.05, format="csr", random_state=0, dtype=np.float32)
    assert codes(sp.hstack([ones, others]).tocsr(), y) == ["GF202"]
    assert codes(others, y) == []


def test_copies_are_found_however_a_sparse_row_is_written(target):
    plain = sp.random(N, 500, 0.02, format="csr", random_state=0, dtype=np.float32)
    order = np.concatenate([np.arange(plain.indptr[row + 1] - 1, plain.indptr[row] - 1, -1) for row in range(N)])
    backwards = sp.csr_matrix((plain.data[order], plain.indices[order], plain.indptr), plain.shape)
    assert not backwards.has_sorted_indices
    twice = sp.vstack([plain, backwards[:20]]).tocsr()
    assert codes(twice, np.r_[target, target[:20]]) == ["GF201"]
    with_zeros = plain.copy()
    with_zeros.data[plain.indptr[0]] = 0
    clean = with_zeros.copy()
    clean.eliminate_zeros()
    keys = row_keys(Audited(SweepSpec(**LOGISTIC), rows_of(with_zeros, target)))
    assert (
        keys[0] == row_keys(Audited(SweepSpec(**LOGISTIC), rows_of(sp.vstack([clean] * 2), np.r_[target, target])))[0]
    )


def test_declared_groups_and_sizes_are_no_finding(frame):
    patient, y = of_patients()
    assert codes(frame, y, groups=patient) == []
    steep = (frame["size"] + 100 * DRAW.normal(size=N) > 0).astype(int)
    assert codes(frame[["c", "d", "age", "size"]], steep) == []


# --- GF203, GF204: order ----------------------------------------------------------------------------------------------


def test_neighbours_that_share_their_target_are_found_where_the_folds_part_them(frame):
    y = np.repeat(DRAW.integers(0, 2, N // 10), 10)
    (order,) = found(frame, y)
    assert order.code == "GF203"
    by_time = {**LOGISTIC, "cv": {"folds": 3, "by": "time"}}
    assert codes(frame, y, spec=by_time) == []
    assert codes(frame, y, groups=np.arange(N) // 10) == []
    assert codes(frame, np.sort(y)) == []


def test_a_number_that_drifts_along_the_file_is_found(frame):
    assert codes(frame, np.cumsum(DRAW.normal(size=N)), spec=RIDGE) == ["GF203"]


@pytest.mark.parametrize("form", ["day", "seconds", "text", "dates"])
def test_a_column_of_time_is_found_where_folds_learn_from_later_rows(frame, target, form):
    dates = pd.Series(pd.date_range("2016-05-01", periods=N, freq="h"))
    values = {
        "day": np.sort(DRAW.integers(0, 300, N)),
        "seconds": (dates - pd.Timestamp(0)) // pd.Timedelta("1s"),
        "text": pd.Categorical(dates.dt.strftime("%Y-%m-%d").sample(frac=1, random_state=0).to_numpy()),
        "dates": dates.sample(frac=1, random_state=0).to_numpy(),
    }[form]
    name = "day" if form == "day" else "x"
    (late,) = found(frame.assign(**{name: values}), target)
    assert (late.code, late.columns) == ("GF204", (name,))
    if form != "text" and form != "dates":
        in_order = {**LOGISTIC, "cv": {"class": "sklearn.model_selection.TimeSeriesSplit", "n_splits": 3}}
        assert codes(frame.assign(**{name: values}), target, spec=in_order) == []


# --- GF205: giveaways -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "leak",
    [
        lambda y: y * 1.0,
        lambda y: pd.Categorical(np.where(y, "paid", "open")),
        lambda y: y * 10 + DRAW.random(N),
        lambda y: y * 1000 + DRAW.integers(0, 900, N),
        lambda y: np.where(y, np.nan, 1.0),
    ],
    ids=["itself", "in words", "by a cut", "by whole numbers", "by its gaps"],
)
def test_a_column_that_gives_the_class_away_is_named(frame, target, leak):
    (told,) = found(frame.assign(outcome=leak(target), noisy=target + DRAW.normal(size=N)), target)
    assert (told.code, told.columns) == ("GF205", ("outcome",))
    wrong_once = target.copy()
    wrong_once[17] = 1 - wrong_once[17]
    assert codes(frame.assign(outcome=wrong_once * 1.0), target) == []


def test_classes_written_out_in_columns_are_found(frame):
    y = DRAW.integers(0, 3, N)
    written = frame.assign(**{f"is_{place}": (y == place) * 1.0 for place in range(3)})
    (told,) = found(written, y)
    assert told.columns == ("is_0", "is_1", "is_2")
    as_sparse = sp.csr_matrix(written.drop(columns="city").fillna(0).to_numpy())
    assert codes(as_sparse, y) == ["GF205"]
    assert codes(written.drop(columns=["is_1", "is_2"]), y) == []


@pytest.mark.parametrize("curve", [np.exp, np.negative, lambda y: y.round(6)])
def test_a_number_that_rises_or_falls_with_the_target_is_named(frame, curve):
    y = (frame["a"] + DRAW.normal(size=N)).to_numpy()
    (told,) = found(frame.assign(price=curve(y)), y, spec=RIDGE)
    assert (told.code, told.columns) == ("GF205", ("price",))
    assert codes(frame.assign(cheap=(y < 0) * 1.0), y, spec=RIDGE) == []


def test_of_several_targets_the_one_that_is_given_away_is_named(frame, target):
    y = np.column_stack([target, DRAW.integers(0, 2, N)]).astype(object)
    tree = {**LOGISTIC, "estimator": "sklearn.tree.DecisionTreeClassifier", "grid": {"max_depth": [1]}}
    data = Dataset(frame.assign(outcome=target), y, None, [*frame.columns, "outcome"])
    (told,) = audited(SweepSpec(**tree), data)
    assert "'outcome' predicts target 1 to" in told.words


# --- what is made of it -----------------------------------------------------------------------------------------------


def test_strict_refuses_in_one_line_warn_warns_and_off_does_not_look(frame, target):
    leaking = frame.drop(columns=["b", "city"]).assign(outcome=target)
    strict = {**LOGISTIC, "audit": "strict"}
    with pytest.raises(Refused, match=r"^audit: GF205 column 'outcome' predicts .*or write `audit: warn`.*$") as told:
        sweep(strict, leaking, target, track=False, cores=1)
    assert "\n" not in str(told.value)
    with pytest.warns(UserWarning, match="GF205 column 'outcome' predicts"):
        sweep(LOGISTIC, leaking, target, track=False, cores=1)
    off = SweepSpec(**{**LOGISTIC, "audit": "off"})
    assert audited(off, rows_of(leaking, target)) == []
    refuse_if_strict(SweepSpec(**strict), [])


def test_another_word_for_audit_is_refused():
    with pytest.raises(SpecError, match="audit"):
        SweepSpec(**{**LOGISTIC, "audit": "loud"})


@pytest.mark.parametrize(
    "column",
    [
        pd.array([1, None] * (N // 2), dtype="Int64"),
        pd.array(["x", None] * (N // 2), dtype="string"),
        pd.array([True, None] * (N // 2), dtype="boolean"),
        pd.Series([None] * N, dtype=object),
        pd.arrays.SparseArray([0.0, 1.0] * (N // 2)),
        np.full(N, np.nan),
        pd.timedelta_range("1s", periods=N, freq="s")[::-1],
        np.array([2**63 + 1] * N, dtype=np.uint64),
    ],
    ids=["Int64", "string", "boolean", "none", "sparse", "nan", "durations", "uint64"],
)
def test_any_type_of_column_is_looked_at(frame, target, column):
    assert codes(frame.assign(odd=column), target) == []


@pytest.mark.parametrize("n_rows", [1, 2, 3, 7])
def test_a_handful_of_rows_says_nothing(frame, target, n_rows):
    data = rows_of(frame, target).rows(np.arange(n_rows))
    assert audited(SweepSpec(**LOGISTIC), data) == []
