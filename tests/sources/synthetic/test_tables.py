"""What is asked for is what is made: sizes, types, files, and the same again for the same seed."""

from __future__ import annotations

import hashlib
import io
import math
import re
import subprocess
import sys
import zipfile

import pandas as pd
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from errors import SourceError
from sources.schema import TABLES
from sources.synthetic import generate, write_csv

PEOPLE_ROWS = {
    "gender_age_train": 74_645,
    "gender_age_test": 112_071,
    "phone_brand_device_model": 187_245,
    "events": 3_252_950,
    "app_events": 32_473_067,
}
WORLD_ROWS = {"app_labels": 459_943, "label_categories": 930}


@pytest.fixture(scope="module", params=[0.001, 0.02])
def sample(request):
    return request.param, dict(generate(request.param, seed=3))


@pytest.mark.parametrize("name", PEOPLE_ROWS)
def test_rows_of_people_shrink_with_the_scale(sample, name):
    scale, tables = sample
    assert tables[name].height == pytest.approx(PEOPLE_ROWS[name] * scale, rel=0.01, abs=2)


@pytest.mark.parametrize("name", WORLD_ROWS)
def test_the_world_has_its_real_size_at_any_scale(sample, name):
    assert sample[1][name].height == WORLD_ROWS[name]


def test_tables_come_in_the_order_and_types_of_the_schema(sample):
    assert list(sample[1]) == list(TABLES)
    for name, frame in sample[1].items():
        assert frame.schema == pl.Schema(TABLES[name].columns)


def test_only_categories_have_empty_cells(sample):
    for name, frame in sample[1].items():
        empty = {column for column in frame.columns if frame[column].null_count()}
        assert empty == TABLES[name].nullable


DIGEST = """
import hashlib
from sources.synthetic import generate
for name, frame in generate(0.002, 5):
    print(hashlib.sha256(frame.write_csv().encode()).hexdigest())
"""


def test_the_same_seed_makes_the_same_tables_in_another_process():
    done = subprocess.run([sys.executable, "-c", DIGEST], capture_output=True, text=True, check=True)
    here = [hashlib.sha256(frame.write_csv().encode()).hexdigest() for _, frame in generate(0.002, 5)]
    assert done.stdout.split() == here


def test_another_seed_is_another_sample_of_the_same_world():
    one, other = dict(generate(0.001, 1)), dict(generate(0.001, 2))
    for name in WORLD_ROWS:
        assert_frame_equal(one[name], other[name])
    for name in PEOPLE_ROWS:
        assert not one[name].equals(other[name])
    assert not set(one["gender_age_train"]["device_id"]) & set(other["gender_age_train"]["device_id"])


@pytest.mark.parametrize("scale", [0, -0.1, 0.0009, 1.001, 2, math.nan, math.inf])
def test_a_scale_out_of_range_is_refused_in_one_line_before_any_table(scale):
    with pytest.raises(SourceError, match=r"^synthetic data: scale is \S+, but must be from 0.001 to 1\. [^\n]+$"):
        generate(scale, 0)


def test_a_negative_seed_is_refused():
    with pytest.raises(SourceError, match=r"^synthetic data: seed is -1, but must be 0 or greater\.$"):
        generate(0.001, -1)


def test_files_read_back_as_the_tables(tmp_path):
    write_csv(tmp_path, 0.001, 3)
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.csv" for name in TABLES}
    for name, frame in generate(0.001, 3):
        dates = ["timestamp"] if name == "events" else None
        read = pd.read_csv(tmp_path / f"{name}.csv", parse_dates=dates, keep_default_na=False, na_values=[""])
        assert_frame_equal(pl.from_pandas(read).cast(dict(TABLES[name].columns)), frame)


def test_timestamps_look_as_in_the_real_file(tmp_path):
    write_csv(tmp_path, 0.001, 3)
    header, *lines = (tmp_path / "events.csv").read_text(encoding="utf-8").splitlines()
    assert header == "event_id,device_id,timestamp,longitude,latitude"
    row = re.compile(r"\d+,-?\d+,2016-0[45]-\d\d \d\d:\d\d:\d\d,-?\d+\.\d{1,2},-?\d+\.\d{1,2}")
    assert all(row.fullmatch(line) for line in lines)


def test_zipped_files_hold_the_same_bytes(tmp_path):
    write_csv(tmp_path / "plain", 0.001, 3)
    write_csv(tmp_path / "zipped", 0.001, 3, zipped=True)
    for name in TABLES:
        with zipfile.ZipFile(tmp_path / "zipped" / f"{name}.csv.zip") as archive:
            assert archive.namelist() == [f"{name}.csv"]
            assert archive.read(f"{name}.csv") == (tmp_path / "plain" / f"{name}.csv").read_bytes()


def test_large_tables_are_written_in_pieces_under_one_header(tmp_path, monkeypatch):
    write_csv(tmp_path / "whole", 0.001, 3)
    monkeypatch.setattr("sources.synthetic.tables._ROWS_A_WRITE", 1000)
    write_csv(tmp_path / "pieces", 0.001, 3)
    for path in (tmp_path / "whole").iterdir():
        assert (tmp_path / "pieces" / path.name).read_bytes() == path.read_bytes()


def test_the_command_writes_what_it_is_asked_for(tmp_path):
    command = [sys.executable, "-m", "sources.synthetic", "--output", str(tmp_path), "--scale", "0.001"]
    subprocess.run([*command, "--seed", "3", "--leak", "--zip"], check=True)
    expected = io.BytesIO()
    dict(generate(0.001, 3, leak=True))["gender_age_train"].write_csv(expected)
    with zipfile.ZipFile(tmp_path / "gender_age_train.csv.zip") as archive:
        assert archive.read("gender_age_train.csv") == expected.getvalue()


def test_the_command_says_what_is_wrong_in_one_line(tmp_path):
    command = [sys.executable, "-m", "sources.synthetic", "--output", str(tmp_path / "new"), "--scale", "7"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.fullmatch(r"synthetic data: scale is 7\.0, but must be [^\n]+\n", done.stderr)
    assert not (tmp_path / "new").exists()
