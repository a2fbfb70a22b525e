"""Whatever stands in a file, it is read or it is refused in a line: properties, where test_broken has examples.

The inputs are the same each time, so that a failure says something of the change and not of the day's luck. Other ones,
and more of them, by hand: ``GRIDFOLD_EXAMPLES=20 pytest tests/broken/test_any_input.py``.
"""

from __future__ import annotations

import copy
import os
import string
import warnings
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import yaml12
from entrypoints.data.own import own_rows
from entrypoints.parameters import SweepParams
from errors import GridfoldError
from sources.csv_tables import write_table
from sources.own_table import read_own_table
from sources.schema import TABLES
from tuning import SweepSpec

ROOT = Path(__file__).parents[2]
TIMES = int(os.environ.get("GRIDFOLD_EXAMPLES", "1"))
SPECS = sorted((ROOT / "spaces").glob("*.yaml"))
anything = settings(
    max_examples=40 * TIMES,
    deadline=None,
    derandomize=TIMES == 1,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)

hostile = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from(
        ["", " ", ".", "..", "a.b", "sklearn", "sklearn.svm.SVC", "rest", "passthrough", "class", "\x00", "\x1b[2J"]
    ),
    st.text(max_size=6),
    st.lists(st.integers(-3, 3), max_size=3),
    st.dictionaries(
        st.sampled_from(["class", "function", "tuple", "columns", "do", "scorer", "uniform", "choice", "rule", "x"]),
        st.sampled_from([None, 1, -1, [], {}, "sklearn.svm.SVC", [1, 2], "numpy.exp", [None], {"class": 1}]),
        max_size=3,
    ),
)


def is_read_or_refused(read: Any) -> Any:
    """Call `read`; what it raises must be one of ours, without control characters that a line would carry on."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read()
    except GridfoldError as error:
        assert str(error).strip()  # noqa: PT017
    return None


def places(content: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value in a document."""
    below = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    return [above, *(place for key, value in below for place in places(value, (*above, key)))]


def replaced(content: Any, place: tuple[Any, ...], value: Any) -> Any:
    """A copy of the document with another value at a place."""
    if not place:
        return value
    whole = copy.deepcopy(content)
    inner = whole
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return whole


@anything
@given(st.binary(max_size=200))
def test_any_bytes_as_a_spec(tmp_path, content):
    (tmp_path / "s.yaml").write_bytes(content)
    is_read_or_refused(lambda: SweepSpec.load(tmp_path / "s.yaml"))


@anything
@given(st.text(alphabet="[]{}:,-?&*!|>'\"#%@` \n\tab1.e<", max_size=60))
def test_any_signs_of_yaml(content):
    try:
        yaml12.read(content)
    except yaml12.YamlError as error:
        assert "\n" not in str(error)  # noqa: PT017


@settings(anything, max_examples=80 * TIMES)
@given(st.data())
def test_any_value_in_the_place_of_any_other_in_a_spec(tmp_path, data):
    content = yaml12.load(data.draw(st.sampled_from(SPECS)))
    for _ in range(data.draw(st.integers(1, 2))):
        content = replaced(content, data.draw(st.sampled_from(places(content))), data.draw(hostile))
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    is_read_or_refused(lambda: SweepSpec.load(tmp_path / "s.yaml"))


@anything
@given(st.binary(max_size=300))
@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.csv.zip", "t.parquet", "t.npz"])
def test_any_bytes_as_a_table(tmp_path, monkeypatch, name, content):
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(content)
    Path("labels.csv").write_text("y\n0\n1\n", encoding="utf-8")
    target = "labels.csv:y" if name == "t.npz" else "y"
    is_read_or_refused(lambda: read_own_table(name, target))


cells = st.one_of(
    st.integers(-(10**30), 10**30).map(str),
    st.floats().map(str),
    st.text(alphabet=string.printable + "é天\x00\x1b", max_size=5),
    st.sampled_from(
        ["", "NA", "nan", "true", "False", "2020-01-01", "1,5", '"', '"a', "inf", "-inf", "1e999", "0x1f", "?"]
    ),
)


@settings(anything, max_examples=60 * TIMES)
@given(
    rows=st.lists(st.lists(cells, min_size=2, max_size=4), max_size=8),
    header=st.lists(cells, min_size=1, max_size=4),
    sign=st.sampled_from([",", ";", "\t", "|"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_any_cells_of_a_csv(tmp_path, monkeypatch, rows, header, sign, end):
    monkeypatch.chdir(tmp_path)
    lines = [sign.join([*header, "y"]), *(sign.join([*row, str(place % 2)]) for place, row in enumerate(rows))]
    Path("t.csv").write_text(end.join(lines), encoding="utf-8", newline="")
    params = SweepParams(features="t.csv", target="y", holdout=0)
    is_read_or_refused(lambda: own_rows(params, _spec()))


def _spec() -> SweepSpec:
    return SweepSpec(estimator="sklearn.tree.DecisionTreeClassifier", grid={"max_depth": [1]}, scoring="accuracy")


TYPES = [
    *(pa.int8(), pa.uint64(), pa.float16(), pa.float32(), pa.float64(), pa.bool_(), pa.string(), pa.large_string()),
    *(
        pa.binary(),
        pa.date32(),
        pa.timestamp("ns"),
        pa.timestamp("us", "Europe/Zurich"),
        pa.time64("us"),
        pa.duration("s"),
    ),
    *(
        pa.decimal128(38, 9),
        pa.list_(pa.int8()),
        pa.struct([("a", pa.int8())]),
        pa.map_(pa.string(), pa.int8()),
        pa.null(),
    ),
    *(pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int8(), pa.float64())),
]
SAMPLES: dict[str, list[Any]] = {
    "bool": [True, False, True],
    "date32": [0, 1, 20000],
    "struct": [{"a": 1}, {"a": 2}, None],
    "list": [[1], [], None],
    "map": [[("a", 1)], [], None],
    "dictionary": ["a", "b", "a"],
    "string": ["a", "", "\x1b[2J"],
    "large_string": ["a", "b", "c"],
    "binary": [b"a", b"\xff", b""],
    "null": [None, None, None],
}


def column(kind: pa.DataType, gaps: bool) -> pa.Array:
    """Six values of a kind."""
    name = str(kind).partition("<")[0].partition("[")[0].partition("(")[0]
    values = SAMPLES.get(name, [1, 2, 3]) * 2
    if pa.types.is_dictionary(kind):
        inner = ["a", "b", "a"] if pa.types.is_string(kind.value_type) else [1.5, 2.5, 1.5]
        return pa.array(inner * 2).dictionary_encode()
    return pa.array([None if gaps and place == 1 else value for place, value in enumerate(values)], type=kind)


@settings(anything, max_examples=60 * TIMES)
@given(
    kinds=st.lists(st.tuples(st.sampled_from(TYPES), st.booleans()), min_size=1, max_size=3),
    target=st.tuples(st.sampled_from(TYPES), st.booleans()),
    role=st.sampled_from(["", "groups", "weights"]),
)
def test_any_types_of_a_parquet_file(tmp_path, monkeypatch, kinds, target, role):
    monkeypatch.chdir(tmp_path)
    columns = {f"c{place}": column(*kind) for place, kind in enumerate(kinds)} | {"y": column(*target)}
    try:
        pq.write_table(pa.table(columns), "t.parquet")
    except pa.ArrowException:  # a type that Parquet has not
        assume(False)
    params = SweepParams(features="t.parquet", target="y", holdout=0, **({role: "c0"} if role else {}))
    is_read_or_refused(lambda: own_rows(params, _spec()))


@settings(anything, max_examples=60 * TIMES)
@given(place=st.integers(0, 4000), value=st.integers(0, 255), cut=st.integers(0, 400))
def test_any_byte_of_a_parquet_file_may_be_wrong(tmp_path, monkeypatch, place, value, cut):
    monkeypatch.chdir(tmp_path)
    pq.write_table(pa.table({"a": list(range(50)), "b": ["x", "y"] * 25, "y": [0, 1] * 25}), "t.parquet")
    content = bytearray(Path("t.parquet").read_bytes())
    content[place % len(content)] = value
    Path("t.parquet").write_bytes(bytes(content[: len(content) - cut * (cut > 300)]))
    is_read_or_refused(lambda: read_own_table("t.parquet", "y"))


@settings(anything, max_examples=60 * TIMES)
@given(
    table=st.sampled_from(sorted(TABLES)),
    rows=st.lists(st.lists(cells, min_size=1, max_size=5), max_size=5),
    tail=st.binary(max_size=20),
)
def test_any_rows_of_the_seven_tables(tmp_path_factory, table, rows, tail):
    folder = tmp_path_factory.mktemp("seven")
    header = ",".join(TABLES[table].columns)
    lines = [header, *(",".join(row) for row in rows)]
    (folder / "t.csv").write_bytes("\n".join(lines).encode() + tail)
    is_read_or_refused(lambda: write_table(folder / "t.csv", TABLES[table], folder, "t.csv"))
