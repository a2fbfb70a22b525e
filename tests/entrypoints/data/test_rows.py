"""The sweep learns from the training rows only, and both parts speak of the same classes."""

import numpy as np
import polars as pl
import scipy.sparse as sp

from entrypoints.data.rows import training_and_holdout
from features import FeatureMatrix

X = sp.csr_matrix(np.arange(8, dtype=np.float32).reshape(4, 2))


def matrix(splits: list[str]) -> FeatureMatrix:
    rows = pl.DataFrame({"device_id": [1, 2, 3, 4], "label": ["b", "a", "c", "a"], "split": splits})
    return FeatureMatrix(X, pl.DataFrame({"name": ["x", "y"], "set": ["s", "s"]}), rows, {})


def test_each_row_goes_where_its_split_says():
    train, holdout = training_and_holdout(matrix(["train", "holdout", "train", "train"]))
    assert train.X.toarray().tolist() == [[0, 1], [4, 5], [6, 7]]
    assert train.classes[train.y].tolist() == ["b", "c", "a"]
    assert holdout.X.toarray().tolist() == [[2, 3]]
    assert holdout.classes[holdout.y].tolist() == ["a"]
    assert train.columns == holdout.columns == ["x", "y"]


def test_a_class_that_only_one_part_has_is_a_class_of_both():
    train, holdout = training_and_holdout(matrix(["train", "train", "holdout", "train"]))
    assert train.classes.tolist() == holdout.classes.tolist() == ["a", "b", "c"]


def test_nothing_held_out_is_no_holdout():
    train, holdout = training_and_holdout(matrix(["train"] * 4))
    assert holdout is None
    assert train.n_rows == 4
