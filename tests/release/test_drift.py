"""The population stability index, against its formula by hand and against chance."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from release.drift import Distribution, Tally, line

DRAW = np.random.default_rng(0)


def table(n_rows: int, shift: float = 0.0, xl: float = 0.2) -> pd.DataFrame:
    pay = DRAW.normal(shift, 1, n_rows)
    pay[: n_rows // 10] = np.nan
    size = np.where(DRAW.random(n_rows) < xl, "XL", "36")
    return pd.DataFrame({"pay": pay, "size": pd.Categorical(size), "truth": DRAW.random(n_rows) < 0.5})


def counted(learned: Distribution, *batches) -> Tally:
    tally = Tally(Distribution.from_json(learned.as_json()))
    for batch in batches:
        tally.add(batch)
    return tally


def test_the_index_is_the_sum_over_bins_by_the_formula():
    learned = Distribution.of_table(pd.DataFrame({"size": ["a"] * 50 + ["b"] * 30 + [None] * 20}))
    batches = (["a"] * 20 + ["b"] * 30, ["c"] * 40 + [None] * 10)
    tally = counted(learned, *(pd.DataFrame({"size": values}) for values in batches))
    e, o = np.array([0.5, 0.3, 1e-4, 0.2]), np.array([0.2, 0.3, 0.4, 0.1])
    assert tally.stability()["size"] == pytest.approx(((o - e) * np.log(o / e)).sum())
    rows = tally.table().set_index("bin")
    assert rows.loc["other", "new"] == pytest.approx(0.4)
    assert rows["part"].sum() == pytest.approx(rows["psi"].iloc[0])


def test_tenths_of_numbers_hold_a_tenth_each_whatever_type_they_come_in():
    learned = Distribution.of_table(table(2000)[["pay"]])
    np.testing.assert_allclose(learned.groups["pay"].shares, [*[0.09] * 10, 0.1], atol=0.001)
    values = pd.DataFrame({"pay": [-9.0, 9.0, None]})
    for frame in (values, values.astype(object), values.astype("Float64")):
        rows = counted(learned, frame).table()
        np.testing.assert_allclose(rows["new"], [1 / 3, *[0] * 8, 1 / 3, 1 / 3])


def test_what_has_not_changed_differs_by_chance_and_what_has_is_named():
    learned = Distribution.of_table(table(5000))
    same = counted(learned, table(500))
    for name, value in same.stability().items():
        assert value < 4 * same.by_chance(name)
    assert line(same).startswith("psi below 0.1 in all 3")
    moved = counted(learned, table(500, shift=1.0, xl=0.6))
    assert list(moved.stability()) == ["pay", "size", "truth"] or list(moved.stability()) == ["size", "pay", "truth"]
    assert "(0.25 and more is much); below 0.1 or chance in 1 of 3" in line(moved)


def test_a_code_without_a_letter_is_the_same_value():
    learned = Distribution.of_table(table(200)[["size"]])
    assert counted(learned, pd.DataFrame({"size": [36, 36]})).table().set_index("bin").loc["36", "new"] == 1


def test_a_feature_set_shares_each_device_out_among_its_features():
    X = sp.csr_matrix(np.array([[1, 0, 0.5, 0.5], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 3, 1]], dtype=np.float32))
    learned = Distribution.of_features(X, ["brand=a", "brand=b", "app=1", "app=2"], ["brand", "brand", "app", "app"])
    assert dict(zip(learned.groups["brand"].names, learned.groups["brand"].shares, strict=True)) == {
        "brand=a": 0.5,
        "brand=b": 0.25,
        "other": 0,
        "empty": 0.25,
    }
    apps = dict(zip(learned.groups["app"].names, learned.groups["app"].shares, strict=True))
    assert apps == {"app=1": pytest.approx(1.25 / 4), "app=2": pytest.approx(0.75 / 4), "other": 0, "empty": 0.5}
    assert counted(learned, X[:2], X[2:]).stability() == {"brand": pytest.approx(0), "app": pytest.approx(0)}
    assert next(iter(counted(learned, sp.csr_matrix((9, 4))).stability())) == "brand"
