"""A person's own table is read as pandas reads it, and what cannot be learned from is refused in one line."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from errors import SourceError
from sources.own_table import read_own_table

MIXED = pd.DataFrame(
    {
        "age": [31, 40, 25, 66],
        "height": [1.7, None, 1.6, 1.8],
        "city": ["Ulm", None, "Bern", "Ulm"],
        "member": [True, False, False, True],
        "size": pd.Categorical(["L", "S", "S", "L"], categories=["XXL", "S", "L"]),
        "shop": ["x", "x", "y", "z"],
        "worth": [1.0, 0.0, 2.5, 1.0],
        "label": ["b", "a", "a", "b"],
    }
)
FEATURES = ["age", "height", "city", "member", "size"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def written(frame: pd.DataFrame, name: str = "mine.csv") -> str:
    (frame.to_csv if name.endswith(".csv") else frame.to_parquet)(name, index=False)
    return name


@pytest.mark.parametrize("name", ["mine.csv", "mine.parquet"])
def test_columns_are_numbers_truths_and_categories_with_their_gaps(name):
    table = read_own_table(written(MIXED, name), "label", "shop", "worth")
    assert {column: str(dtype) for column, dtype in table.X.dtypes.items()} == {
        "age": "int64",
        "height": "float64",
        "city": "category",
        "member": "bool",
        "size": "category",
    }
    assert table.X["city"].astype(object).where(table.X["city"].notna(), None).tolist() == ["Ulm", None, "Bern", "Ulm"]
    assert table.X["size"].cat.categories.tolist() == ["L", "S"], "those that occur, in order"
    assert table.X["height"].isna().tolist() == [False, True, False, False]
    assert table.schema.keys() == set(FEATURES)


def test_target_groups_and_weights_are_columns_and_no_features():
    table = read_own_table(written(MIXED), "label", "shop", "worth")
    assert list(table.X.columns) == FEATURES
    assert table.target.tolist() == ["b", "a", "a", "b"]
    assert table.groups.tolist() == [0, 0, 1, 2]
    assert table.weights.tolist() == [1.0, 0.0, 2.5, 1.0]


def test_an_index_that_pandas_wrote_is_no_feature_but_may_be_the_group():
    MIXED.set_index("shop").to_parquet("mine.parquet")
    assert "shop" not in read_own_table("mine.parquet", "label").X
    assert read_own_table("mine.parquet", "label", "shop").groups.tolist() == [0, 0, 1, 2]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pd.array([1, None, 3, 4], dtype="Int64"), [1.0, np.nan, 3.0, 4.0]),
        (np.array([0.5, 1, 2, 3], dtype=np.float32), [0.5, 1.0, 2.0, 3.0]),
        ([True, None, False, True], [1.0, np.nan, 0.0, 1.0]),
        (pd.Categorical([1.5, 2.5, None, 1.5]), [1.5, 2.5, np.nan, 1.5]),
        ([None, None, None, None], [np.nan] * 4),
    ],
    ids=["whole numbers with a gap", "32 bits", "truths with a gap", "a category of fractions", "nothing"],
)
def test_what_is_no_plain_number_becomes_one(column, expected):
    table = read_own_table(written(MIXED.assign(age=column), "mine.parquet"), "label")
    assert table.X["age"].dtype == np.float64
    np.testing.assert_array_equal(table.X["age"], expected)


def test_a_sparse_matrix_takes_its_target_from_a_table_beside_it():
    matrix = sp.csr_matrix(np.array([[0, 2.0], [1, 0], [0, 0], [3, 1]]))
    matrix.data[0] = 0  # stored, but zero
    sp.save_npz("mine.npz", matrix.tocoo())
    table = read_own_table("mine.npz", f"{written(MIXED, 'labels.csv')}:label", "shop", "worth")
    assert sp.issparse(table.X)
    assert table.X.nnz == 3
    assert table.target.tolist() == ["b", "a", "a", "b"]
    assert table.groups.tolist() == [0, 0, 1, 2]
    assert table.schema == {}


def test_the_digest_is_of_the_content_of_every_file():
    sp.save_npz("mine.npz", sp.eye_array(4, format="csr"))
    digests = {read_own_table(written(MIXED), "label").digest, read_own_table(written(MIXED, "b.csv"), "label").digest}
    assert len(digests) == 1
    digests.add(read_own_table(written(MIXED.assign(age=1), "mine.csv"), "label").digest)
    digests.add(read_own_table("mine.npz", f"{written(MIXED, 'labels.csv')}:label").digest)
    digests.add(read_own_table("mine.npz", f"{written(MIXED.assign(label='c'), 'labels.csv')}:label").digest)
    assert len(digests) == 4


def refused(*arguments: str) -> str:
    with pytest.raises(SourceError) as refusal:
        read_own_table(*arguments)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("mine.csw", "label"),
            "-P features=mine.csw: expected a file that ends in .csv or .tsv (also with .gz, .bz2, .xz or .zip)",
        ),
        (("mime.csv", "label"), "-P features=mime.csv: no such file. Did you mean 'mine.csv'?"),
        (("no/mine.csv", "label"), "-P features=no/mine.csv: no such file."),
        (("mine.csv", "lable"), "-P target=lable: mine.csv has no column 'lable'. Did you mean 'label'?"),
        (("mine.csv", "zzz"), "-P target=zzz: mine.csv has no column 'zzz'. The file has age, height, city,"),
        (("mine.csv", "label", "shops"), "-P groups=shops: mine.csv has no column 'shops'. Did you mean 'shop'?"),
        (("mine.csv", "label", "", "word"), "-P weights=word: mine.csv has no column 'word'. Did you mean 'worth'?"),
        (("mine.csv", "label", "label"), "mine.csv: target, groups, weights and cv.column must be different columns"),
        (("mine.csv", "height"), "mine.csv: target 'height' is empty in 1 of 4 rows, row 2 the first."),
        (("mine.csv", "label", "city"), "mine.csv: groups 'city' is empty in 1 of 4 rows, row 2 the first."),
        (("mine.csv", "label", "", "shop"), "mine.csv: weights 'shop' holds text ('x'); expected numbers."),
        (("mine.npz", "label"), "-P target=label: a sparse matrix has no named columns."),
        (("mine.npz", "mine.csv:label"), "mine.csv: the table has 4 rows, and mine.npz has 3."),
        (
            ("bad.npz", "mine.csv:label"),
            "bad.npz: this is not a sparse matrix (it has no format and shape). Write it with",
        ),
    ],
)
def test_a_wrong_file_or_column_is_one_line(arguments, said):
    written(MIXED)
    sp.save_npz("mine.npz", sp.eye_array(3, format="csr"))
    np.savez("bad.npz", x=np.ones(3))
    assert refused(*arguments).startswith(said)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty."),
        (b"age,label\n", "the table has no rows."),
        (b"age,age,label\n1,2,a\n", "column 'age' is there 2 times. Keep one of them."),
        (b",age,label\n0,1,a\n", "a column has no name; pandas writes the row numbers so. Write the table with index"),
        (b"age,label\n1,a,b\n2,a,c\n", "the file cannot be read as csv ("),
        (b"age,label\n1,a\n2,b,3,4\n", "the file cannot be read as csv ("),
        (b"age,label\n1,\xff\n", "the file is not UTF-8 text."),
        (b"age,label\n1,a\ninf,b\n", "column 'age' holds infinity in row 2."),
        (b"label\na\nb\n", "no column is left to learn from beside label."),
    ],
)
def test_a_wrong_csv_is_one_line(tmp_path, content, said):
    (tmp_path / "mine.csv").write_bytes(content)
    assert refused("mine.csv", "label").startswith(f"mine.csv: {said}")


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (pd.date_range("2016-05-01", periods=4), "column 'age' holds dates, which no estimator can learn from."),
        ([[1], [2], [3], [4]], "column 'age' holds lists, which no estimator can learn from."),
    ],
    ids=["dates", "lists"],
)
def test_a_column_of_another_kind_is_one_line(column, said):
    assert refused(written(MIXED.assign(age=column), "mine.parquet"), "label").startswith(f"mine.parquet: {said}")


def test_a_broken_parquet_file_is_one_line(tmp_path):
    (tmp_path / "mine.parquet").write_bytes(b"not a table")
    assert refused("mine.parquet", "label").startswith("mine.parquet: the file cannot be read as parquet (")


@pytest.mark.parametrize(
    ("weights", "said"),
    [([1, -2, 1, 1], "is -2 in row 2. A weight is 0 or more."), ([0, 0, 0, 0], "is 0 in every row, so no row counts.")],
)
def test_weights_that_cannot_be_are_one_line(weights, said):
    table = written(MIXED.assign(worth=weights))
    assert refused(table, "label", "", "worth").startswith(f"mine.csv: weights 'worth' {said}")
