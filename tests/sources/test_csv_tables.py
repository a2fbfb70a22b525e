"""A CSV file becomes a table with exactly the schema's types, or a line that says where it is wrong."""

from __future__ import annotations

import csv
import random

import polars as pl
import pytest

from errors import SourceError
from sources.csv_tables import write_table
from sources.schema import TABLES
from tests.sources.conftest import SEVEN_FILES


@pytest.fixture
def parse(tmp_path):
    """Parse bytes as the named table."""

    def parse(name, content):
        file = tmp_path / f"{name}.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return pl.read_parquet(write_table(file, TABLES[name], tmp_path, file.name))

    return parse


@pytest.fixture
def refusal(parse):
    """Parse what must be refused, and return the line."""

    def refusal(name, content):
        with pytest.raises(SourceError) as caught:
            parse(name, content)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return refusal


@pytest.mark.parametrize("name", TABLES)
def test_columns_and_types_are_the_schema_s(parse, name):
    assert dict(parse(name, SEVEN_FILES[name]).schema) == dict(TABLES[name].columns)


@pytest.mark.parametrize("name", TABLES)
def test_cells_are_those_that_python_s_csv_module_reads(parse, name):
    header, *rows = csv.reader(SEVEN_FILES[name].splitlines())
    table = parse(name, SEVEN_FILES[name]).with_columns(pl.selectors.datetime().dt.to_string("%Y-%m-%d %H:%M:%S"))
    for column, expected in zip(header, zip(*rows, strict=True), strict=True):
        of_type = type(next(value for value in table[column] if value is not None))
        assert table[column].to_list() == [of_type(cell) if cell else None for cell in expected]


def test_ids_survive_at_both_ends_of_64_bits(parse):
    ids = [-(2**63), 2**63 - 1, 2**53 + 1, -(2**53) - 1, 0]
    ids += [random.Random(0).randrange(-(2**63), 2**63) for _ in range(1000)]
    text = "device_id\n" + "".join(f"{number}\n" for number in ids)
    assert parse("gender_age_test", text)["device_id"].to_list() == ids


def test_duplicate_rows_stay_and_rows_keep_their_order(parse):
    numbers = [3, 1, 3, 2, 1]
    text = "device_id\n" + "".join(f"{number}\n" for number in numbers)
    assert parse("gender_age_test", text)["device_id"].to_list() == numbers


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize(
    "rewritten",
    [
        pytest.param(lambda text: b"\xef\xbb\xbf" + text.encode(), id="byte order mark"),
        pytest.param(lambda text: text.replace("\n", "\r\n").encode(), id="CRLF"),
        pytest.param(lambda text: text.rstrip("\n").encode(), id="no newline at the end"),
    ],
)
def test_how_the_file_was_saved_does_not_matter(parse, name, rewritten):
    plain = parse(name, SEVEN_FILES[name])
    assert parse(name, rewritten(SEVEN_FILES[name])).equals(plain)


def test_columns_may_be_in_any_order_with_others_between(parse):
    table = parse("app_labels", "label_id,note,app_id\n549,x,7\n704,,-8\n")
    assert table.to_dict(as_series=False) == {"app_id": [7, -8], "label_id": [549, 704]}


def test_a_missing_column_is_named(refusal):
    message = refusal("app_labels", "app_id\n7\n")
    assert message == (
        "app_labels.csv: column 'label_id' is missing; the file has app_id. The columns must be app_id, label_id."
    )


def test_a_renamed_column_is_recognised(refusal):
    assert "column 'device_id' is missing" in refusal("gender_age_test", "deviceid\n7\n")
    assert "Rename 'deviceid' to 'device_id'." in refusal("gender_age_test", "deviceid\n7\n")


def test_a_column_that_is_there_twice_is_named(refusal):
    assert "column 'app_id' is there 2 times" in refusal("app_labels", "app_id,app_id,label_id\n7,7,1\n")
    assert "column 'x' is there 2 times" in refusal("app_labels", "x,app_id,label_id,x\n7,7,1,7\n")


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n", b"\xef\xbb\xbf"])
def test_a_file_without_anything_is_called_empty(refusal, content):
    assert refusal("events", content) == "events.csv: the file is empty. Re-download it."


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_header_without_rows_is_called_empty(refusal, end):
    assert "has a header but no rows" in refusal("app_labels", f"app_id,label_id{end}")


def test_an_unreadable_timestamp_is_quoted_with_its_line(refusal):
    rows = [f"{number},7,2016-05-01 00:00:00,0,0" for number in range(4030)]
    rows[4029] = "4029,7,03.05.16 10:20,0,0"
    content = "\n".join(["event_id,device_id,timestamp,longitude,latitude", *rows])
    assert refusal("events", content) == (
        "events.csv: line 4,031: timestamp '03.05.16 10:20' is not 'YYYY-MM-DD HH:MM:SS'. "
        "Re-download the file, or fix the row."
    )


@pytest.mark.parametrize(
    "timestamp",
    [
        "16-05-01 00:00:00",
        "2016-05-01",
        "2016-05-01T00:00:00",
        "2016-05-01 00:00:00.5",
        "2016-13-01 00:00:00",
        "2016-02-30 00:00:00",
        "2016-05-01 24:00:00",
        " 2016-05-01 00:00:00",
        "2016-5-1 0:00:00",
    ],
)
def test_no_other_way_to_write_a_time_passes(refusal, timestamp):
    content = SEVEN_FILES["events"].replace("2016-05-01 00:55:25", timestamp)
    assert f"line 2: timestamp '{timestamp}' is not 'YYYY-MM-DD HH:MM:SS'" in refusal("events", content)


@pytest.mark.parametrize(
    ("cell", "wrong"),
    [
        ("1.5", "is not a whole number"),
        ("1.0", "is not a whole number"),
        ("1e18", "is not a whole number"),
        ("-2.2e+18", "is not a whole number"),
        ("nan", "is not a whole number"),
        ("0x1f", "is not a whole number"),
        ("1_000", "is not a whole number"),
        ("７", "is not a whole number"),
        ("9223372036854775808", "does not fit in 64 bits"),
        ("-9223372036854775809", "does not fit in 64 bits"),
    ],
)
def test_an_id_that_is_no_64_bit_integer_is_quoted_with_its_line(refusal, cell, wrong):
    message = refusal("gender_age_test", f"device_id\n1\n2\n{cell}\n4\n")
    assert message.startswith(f"gender_age_test.csv: line 4: device_id '{cell}' {wrong}")


def test_an_empty_id_is_named_with_its_line(refusal):
    assert "line 3: app_id is empty" in refusal("app_labels", "app_id,label_id\n1,1\n,2\n")


def test_an_empty_line_is_named(refusal):
    assert "line 3: the line is empty" in refusal("gender_age_test", "device_id\n1\n\n2\n")


@pytest.mark.parametrize(
    ("name", "right", "cell", "wrong"),
    [
        ("gender_age_train", ",35,", "thirty", "age 'thirty' is not a whole number"),
        ("gender_age_train", ",35,", "40000", "age '40000' does not fit in 16 bits"),
        ("gender_age_train", ",35,", "", "age is empty"),
        ("app_events", ",1,1", "yes", "is_installed 'yes' is not a whole number"),
        ("app_events", ",1,1", "300", "is_installed '300' does not fit in 8 bits"),
        ("events", ",121.38,", "east", "longitude 'east' is not a number"),
        ("events", ",121.38,", "", "longitude is empty"),
        ("phone_brand_device_model", ",小米,", "", "phone_brand is empty"),
    ],
)
def test_any_other_cell_that_cannot_be_read_is_quoted(refusal, name, right, cell, wrong):
    content = SEVEN_FILES[name].replace(right, f",{cell},", 1)
    assert f"line 2: {wrong}" in refusal(name, content)


def test_a_row_that_was_cut_off_is_named(refusal):
    content = SEVEN_FILES["app_events"].rsplit(",", 2)[0]
    assert "line 4: 2 cells where the header has 4. The file may have been cut off." in refusal("app_events", content)


def test_a_row_with_too_many_cells_is_named(refusal):
    assert "line 3: 3 cells where the header has 2" in refusal("app_labels", "app_id,label_id\n1,2\n3,4,5\n")


def test_bytes_that_are_not_utf_8_are_named_with_their_line(refusal):
    content = SEVEN_FILES["phone_brand_device_model"].replace("samsung", "téléphone", 1).encode("latin-1", "ignore")
    assert refusal("phone_brand_device_model", content) == (
        "phone_brand_device_model.csv: line 3: byte 0xe9 is not UTF-8 text. Save the file as UTF-8."
    )


def test_a_file_saved_as_utf_16_is_not_text_from_its_first_byte(refusal):
    content = SEVEN_FILES["app_labels"].encode("utf-16")
    assert refusal("app_labels", content) == (
        "app_labels.csv: line 1: byte 0xff is not UTF-8 text. Save the file as UTF-8."
    )


def test_lines_are_counted_across_cells_of_several_lines(refusal):
    content = 'label_id,category\n1,"two\nlines"\n2,"three\n\nlines"\nx,y\n'
    assert "line 7: label_id 'x'" in refusal("label_categories", content)


def test_a_quote_that_is_never_closed_is_named(refusal):
    assert "line 3: the row cannot be read" in refusal("label_categories", 'label_id,category\n1,a\n2,"b\n3,c\n4,d\n')


def test_devices_of_one_group_only_are_refused(refusal):
    content = "device_id,gender,age,group\n1,M,35,M32-38\n2,M,36,M32-38\n"
    message = refusal("gender_age_train", content)
    assert message.startswith(
        "gender_age_train.csv: every device is in group 'M32-38', and a classifier needs at least"
    )


def test_groups_may_have_any_names(parse):
    content = "device_id,gender,age,group\n1,M,35,old\n2,M,36,older\n"
    assert parse("gender_age_train", content)["group"].to_list() == ["old", "older"]
