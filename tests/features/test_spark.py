"""On Spark or on one machine: the same matrix, entry by entry."""

import os
import sys
from datetime import datetime

import polars as pl
import pytest

from errors import SourceError
from features import FEATURE_SETS, build
from features.spark import _explained, build_on_spark
from sources.synthetic import generate
from tests.features.small_tables import tables
from tests.services import spark_cluster as spark_service

BIG = 2**53 + 1


@pytest.fixture(scope="module")
def session():
    reason = spark_service.lacking()
    if reason and os.environ.get("CI"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local[2]").config("spark.sql.shuffle.partitions", "3")
    opened = (
        builder.config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "Asia/Tokyo").getOrCreate()
    )
    yield opened
    opened.stop()
    del os.environ["PYSPARK_PYTHON"]


def write(given, folder, ending):
    for name, table in given.items():
        frame = table.collect()
        if ending == "csv":
            frame.write_csv(folder / f"{name}.csv", datetime_format="%Y-%m-%d %H:%M:%S")
        else:
            frame.write_parquet(folder / f"{name}.parquet")
    return str(folder)


def assert_equal(ours, theirs):
    assert ours.columns.equals(theirs.columns)
    assert ours.rows.equals(theirs.rows)
    assert ours.X.shape == theirs.X.shape
    assert (ours.X != theirs.X).nnz == 0
    assert ours.manifest["counts"] == theirs.manifest["counts"]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_synthetic_tables(session, tmp_path, ending):
    given = {name: frame.lazy() for name, frame in generate(scale=0.005, seed=0)}
    ours = build_on_spark(session, write(given, tmp_path, ending), FEATURE_SETS, holdout=0.2, seed=1)
    assert ours.X.nnz > 5_000
    assert_equal(ours, build(given, FEATURE_SETS, holdout=0.2, seed=1))


def test_what_is_listed_first_counts_and_ids_stay_whole(session, tmp_path):
    given = tables(
        train=[(BIG, "M39+"), (BIG - 1, "F23-"), (-(2**63), "F23-")],
        phones=[(BIG, "vivo", "X5"), (BIG, "HTC", "M8")],
        events=[(7, BIG, datetime(2016, 5, 1, 23)), (7, BIG - 1, datetime(2016, 5, 2, 1)), (8, -(2**63)), (9, 5)],
        app_events=[(7, -BIG), (7, -BIG), (7, BIG), (8, 10), (9, 11), (1000, 12)],
        app_labels=[(-BIG, 20), (BIG, 3), (10, 3), (10, 20)],
        label_categories=[(20, " Games"), (3, "games"), (4, None)],
    )
    ours = build_on_spark(session, write(given, tmp_path, "parquet"), FEATURE_SETS, holdout=0)
    assert_equal(ours, build(given, FEATURE_SETS, holdout=0))
    assert [name for name in ours.columns["name"] if name.startswith("app=")] == [f"app={-BIG}", "app=10", f"app={BIG}"]


def test_devices_without_events(session, tmp_path):
    given = tables(phones=[(1, "vivo", "X5")])
    ours = build_on_spark(
        session, write(given, tmp_path, "csv"), ("brand_model", "weekday_hour", "app_labels"), holdout=0
    )
    assert ours.columns["name"].to_list() == ["brand=vivo", "model=vivo X5"]
    assert ours.X.shape == (2, 2)


def test_a_missing_table_is_named(session, tmp_path):
    with pytest.raises(SourceError, match=r"there is neither gender_age_train\.parquet nor gender_age_train\.csv"):
        build_on_spark(session, str(tmp_path))


def test_the_cause_is_named_where_java_goes_round_in_a_circle():
    """As Spark 4.3 tells it when both of two files' tasks fail before it has cancelled the other."""
    error = Exception(
        "An error occurred while calling o1.collectToPython.\n: SparkException: [FAILED_READ_FILE.NO_HINT] events.csv\n"
        "\tat org.apache.spark.Scheduler\nCaused by: IllegalArgumentException: CSV header does not conform\n"
        "\tCaused by: [CIRCULAR REFERENCE: SparkException: [FAILED_READ_FILE.NO_HINT] events.csv]\n"
    )
    assert "CSV header" in str(_explained(error))


def test_a_renamed_column_is_an_error_in_one_line(session, tmp_path):
    folder = write(tables(events=[(1, 1)]), tmp_path, "csv")
    events = pl.read_csv(tmp_path / "events.csv").rename({"device_id": "device"})
    events.write_csv(tmp_path / "events.csv")
    with pytest.raises(SourceError, match="CSV header") as raised:
        build_on_spark(session, folder, ("weekday_hour",), holdout=0)
    assert "\n" not in str(raised.value)
