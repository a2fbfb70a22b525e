"""A table is read whatever its packing, separator or parts; what cannot be told is asked in one line, never guessed."""

import bz2
import gzip
import lzma
import os
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from errors import SourceError
from sources.own_file import table_name
from sources.own_table import read_own_table

FRAME = pd.DataFrame(
    {"a": [0.5, -1.25, 3.0, 1e-3], "size": [4, 5, 6, 7], "city": ["Ulm", "Bern, CH", None, "x;y"], "y": [0, 1, 1, 0]}
)
PACKED = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def features(name: str = "t.csv") -> pd.DataFrame:
    """The features of the table, read."""
    table = read_own_table(name, "y")
    assert table.target.tolist() == FRAME["y"].tolist()
    return table.X


def same(name: str) -> bool:
    read = features(name)
    numbers = read[["a", "size"]].equals(FRAME[["a", "size"]])
    return numbers and read["city"].astype(object).fillna("").tolist() == FRAME["city"].fillna("").tolist()


def refused(name: str = "t.csv", target: str = "y", **roles: str) -> str:
    with pytest.raises(SourceError) as refusal:
        read_own_table(name, target, **roles)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


@pytest.mark.parametrize("name", ["t.csv.gz", "t.csv.bz2", "t.csv.xz", "T.CSV.GZ", "t.tsv.gz"])
def test_a_packed_table_is_read(name):
    with PACKED[Path(name).suffix.lower()](name, "wt") as file:
        FRAME.to_csv(file, index=False, sep="\t" if "tsv" in name else ",")
    assert same(name)


def test_a_zip_of_one_table_is_read_and_of_several_refused():
    text = FRAME.to_csv(index=False)
    with zipfile.ZipFile("t.csv.zip", "w") as archive:
        archive.writestr("folder/", "")
        archive.writestr("folder/t.csv", text)
        archive.writestr("__MACOSX/t.csv", "")
    assert same("t.csv.zip")
    with zipfile.ZipFile("t.csv.zip", "a") as archive:
        archive.writestr("other.csv", text)
    assert refused("t.csv.zip") == "t.csv.zip: the archive holds 2 files. Pack the one table alone."


@pytest.mark.parametrize("name", ["t.csv.gz", "t.csv.xz", "t.csv.bz2", "t.csv.zip"])
@pytest.mark.parametrize("cut", [0, 30])
def test_a_broken_archive_is_one_line(name, cut):
    text = FRAME.to_csv(index=False) * 50
    if name.endswith("zip"):
        with zipfile.ZipFile(name, "w") as archive:
            archive.writestr("t.csv", text)
    else:
        with PACKED[Path(name).suffix](name, "wt") as file:
            file.write(text)
    Path(name).write_bytes(Path(name).read_bytes()[:cut] if cut else b"no archive at all")
    assert refused(name).startswith(f"{name}: the file cannot be read as csv (")


@pytest.mark.parametrize(
    ("sep", "name"), [(",", "t.csv"), (";", "t.csv"), ("\t", "t.tsv"), ("\t", "t.csv"), ("|", "t.csv")]
)
def test_what_separates_the_columns_is_read_off_the_file(sep, name):
    FRAME.to_csv(name, sep=sep, index=False)
    assert same(name)


def test_a_comma_before_fractions_is_read_where_semicolons_separate():
    FRAME.to_csv("t.csv", sep=";", decimal=",", index=False)
    assert same("t.csv")


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["bare", "with a mark"])
def test_byte_order_marks_and_the_ends_of_lines_do_not_matter(newline, mark):
    text = mark + FRAME.to_csv(index=False, lineterminator=newline)
    Path("t.csv").write_bytes(text.encode())
    assert same("t.csv")


def test_a_quoted_cell_may_hold_line_ends_and_separators():
    Path("t.csv").write_text('"a;b","c\nd",y\n1,"x\ny;z",0\n2,"u,v",1\n')
    table = read_own_table("t.csv", "y")
    assert list(table.X.columns) == ["a;b", "c\nd"]
    assert table.X["c\nd"].tolist() == ["x\ny;z", "u,v"]


def test_where_two_signs_would_do_neither_is_taken():
    Path("t.csv").write_text("a,b;y\n1,2;0\n3,4;1\n")
    assert refused().startswith("t.csv: it cannot be told whether a comma or a semicolon separates the columns. Write")


def test_an_odd_sign_in_a_header_of_commas_is_part_of_a_name():
    Path("t.csv").write_text("a;old,b,y\n1,2,0\n3,4,1\n")
    assert list(read_own_table("t.csv", "y").X.columns) == ["a;old", "b"]


def test_a_comma_that_may_be_of_thousands_is_not_guessed_at():
    Path("t.csv").write_text("a;y\n1,234;0\n2,500;1\n")
    assert "cannot be told whether the comma stands before a fraction or between thousands" in refused()


def test_the_home_folder_is_found(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    FRAME.to_csv("t.csv", index=False)
    assert same("~/t.csv")


def test_an_ending_in_capitals_is_an_ending():
    FRAME.to_csv("T.CSV", index=False)
    FRAME.to_parquet("T.PARQUET", index=False)
    assert same("T.CSV")
    assert same("T.PARQUET")


@pytest.mark.parametrize(
    ("file", "name"),
    [("a/t.csv.gz", "t"), ("t.parquet", "t"), ("T.TSV", "T"), ("a/v1.2", "v1.2"), ("my.t.npz", "my.t")],
)
def test_the_tables_name_is_without_its_endings(file, name):
    assert table_name(file) == name


# --- folders of parts -------------------------------------------------------------------------------------------------


def parts(*frames: pd.DataFrame, folder: str = "t.parquet") -> Path:
    for place, frame in enumerate(frames):
        Path(folder).mkdir(exist_ok=True)
        frame.to_parquet(Path(folder) / f"part-{place}.parquet", index=False)
    (Path(folder) / "_SUCCESS").touch()
    (Path(folder) / ".part-0.parquet.crc").write_bytes(b"crc")
    return Path(folder)


@pytest.mark.parametrize("folder", ["t.parquet", "table"])
def test_a_folder_of_parts_is_one_table_in_order_of_their_names(folder):
    parts(FRAME[:3], FRAME[3:], folder=folder)
    assert same(folder)


def test_the_digest_of_a_folder_is_of_every_part():
    folder = parts(FRAME[:3], FRAME[3:])
    before = read_own_table("t.parquet", "y").digest
    FRAME[3:].assign(a=9.0).to_parquet(folder / "part-1.parquet", index=False)
    assert read_own_table("t.parquet", "y").digest != before


@pytest.mark.parametrize("other", [FRAME[3:].drop(columns="a"), FRAME[3:].assign(a="text")], ids=["lacking", "of text"])
def test_parts_that_differ_are_one_line(other):
    parts(FRAME[:3], other)
    assert refused("t.parquet").startswith("t.parquet: part-0.parquet and part-1.parquet differ in column 'a'. Write")


def test_a_folder_without_parts_is_one_line():
    Path("empty").mkdir()
    (Path("empty") / "t.csv").write_text("a,y\n1,0\n")
    assert refused("empty") == ("empty: the folder holds no .parquet file. Name a file, or a folder of Parquet parts.")


# --- what is no file --------------------------------------------------------------------------------------------------


def test_pipes_devices_and_loops_are_not_waited_for():
    os.mkfifo("t.csv")
    os.symlink("b.csv", "a.csv")
    os.symlink("a.csv", "b.csv")
    os.symlink("/dev/zero", "zero.csv")
    assert refused("t.csv").startswith("-P features=t.csv: this is a pipe, a socket or a device. Write the rows to a")
    assert refused("zero.csv").startswith("-P features=zero.csv: this is a pipe, a socket or a device.")
    assert refused("a.csv").startswith(
        "-P features=a.csv: this link leads nowhere (Too many levels of symbolic links)."
    )


def test_a_link_to_a_table_is_the_table():
    FRAME.to_csv("real.csv", index=False)
    os.symlink("real.csv", "t.csv")
    assert same("t.csv")


# --- cells that were meant otherwise ----------------------------------------------------------------------------------

MANY = np.round(np.linspace(-1, 1, 60), 3)


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (
            ["?", *MANY[1:]],
            "holds '?' in row 1, and numbers elsewhere. Mend it, or leave the cell empty where the value",
        ),
        ([*MANY[:58], "n.a.", "-"], "holds 'n.a.' in row 59 and 1 more such cell, and numbers elsewhere. Mend it"),
        ([*range(100, 159), "12O"], "holds '12O' in row 60, and numbers elsewhere."),
        (
            pd.date_range("2024-01-01", periods=60).astype(str),
            "holds dates ('2024-01-01'), which no estimator can learn",
        ),
        (["31.12.2024 10:15"] * 60, "holds dates ('31.12.2024 10:15'), which no estimator can learn from."),
        (["3/14/24"] * 58 + [None, "soon"], "holds dates ('3/14/24')"),
        ([10**25 + k for k in range(60)], "holds whole numbers beyond 64 bits ('1"),
        ([-1, *(2**64 - k for k in range(1, 60))], "holds whole numbers beyond 64 bits ('18446744073709551615')"),
        ([f"{k},5" for k in range(60)], "holds numbers with a comma ('0,5'). Write them without."),
        ([f"{k},000" for k in range(1, 61)], "holds numbers with a comma ('1,000'). Write them without."),
    ],
    ids=[
        "?",
        "two cells",
        "a letter",
        "dates",
        "times",
        "a few no dates",
        "huge",
        "unsigned and signed",
        "0,5",
        "1,000",
    ],
)
def test_text_that_was_meant_as_something_else_is_named_with_its_cell(column, said):
    pd.DataFrame({"b": column, "y": np.arange(60) % 2}).to_csv("t.csv", index=False)
    assert refused().startswith(f"t.csv: column 'b' {said}")


@pytest.mark.parametrize(
    "column",
    [
        [*("36", "37", "38") * 19, "37", "XL", "38"],
        [f"A/{k}" if k % 4 else str(k) for k in range(60)],
        ["1-2", "3-4"] * 30,
        ["a, b", "c"] * 30,
        [None, *(["yes", "no"] * 29), "1"],
        [True, None, False] * 20,
    ],
    ids=["sizes", "tickets", "ranges", "words", "words and a number", "truths with gaps"],
)
def test_codes_and_words_are_categories_as_they_were(column):
    pd.DataFrame({"b": column, "y": np.arange(60) % 2}).to_csv("t.csv", index=False)
    assert len(read_own_table("t.csv", "y").X) == 60


def test_a_stray_cell_in_the_target_is_named_and_a_label_is_not():
    pd.DataFrame({"b": MANY, "y": ["?", *MANY[1:]]}).to_csv("t.csv", index=False)
    assert refused().startswith("t.csv: column 'y' holds '?' in row 1, and numbers elsewhere.")
    pd.DataFrame({"b": MANY, "y": ["2024-01-01", "2024-01-02"] * 30}).to_csv("t.csv", index=False)
    assert read_own_table("t.csv", "y").target.nunique() == 2


def test_groups_may_be_numbers_of_any_length_and_dates():
    numbers = [10**25 + k // 2 for k in range(60)]
    frame = pd.DataFrame({"b": MANY, "g": numbers, "d": ["2024-01-01", "2024-01-02"] * 30, "y": np.arange(60) % 2})
    frame.drop(columns="d").to_csv("t.csv", index=False)
    assert read_own_table("t.csv", "y", "g").groups.tolist() == [k // 2 for k in range(60)]
    frame.drop(columns="g").to_csv("t.csv", index=False)
    assert read_own_table("t.csv", "y", "d").groups.tolist() == [0, 1] * 30


# --- targets of other kinds -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "kind", "said"),
    [
        ([[0], [1]], pa.list_(pa.int64()), "lists"),
        ([b"a", b"b"], pa.binary(), "bytes"),
        ([0, 1], pa.timestamp("us"), "dates"),
        ([0, 1], pa.date32(), "dates"),
    ],
    ids=["lists", "bytes", "times", "dates"],
)
def test_a_target_of_another_kind_is_one_line(values, kind, said):
    pq.write_table(pa.table({"a": [1.0, 2.0], "y": pa.array(values, kind)}), "t.parquet")
    assert refused("t.parquet") == (
        f"t.parquet: target 'y' holds {said}, which cannot be predicted. Name a column of numbers or text."
    )


def test_a_target_of_decimal_numbers_is_one_of_numbers():
    column = pa.array(["1.25", "-2.50"], pa.string()).cast(pa.decimal128(10, 2))
    pq.write_table(pa.table({"a": [1.0, 2.0], "y": column}), "t.parquet")
    assert read_own_table("t.parquet", "y").target.tolist() == [1.25, -2.5]
