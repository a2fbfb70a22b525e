import polars as pl

from features.phone_sets import brand_model
from tests.features.small_tables import tables

DEVICES = pl.Series([1, 2, 3], dtype=pl.Int64)


def columns_of_devices(*phones: tuple[int, str, str]) -> list[set[str]]:
    block = brand_model(tables(phones=phones)["phone_brand_device_model"], DEVICES)
    assert set(block.values.data.tolist()) <= {1.0}
    return [{block.names[column] for column in row.indices} for row in block.values]


def test_a_device_has_its_brand_and_its_pair_of_brand_and_model():
    assert columns_of_devices((2, "小米", "红米 note"), (3, "vivo", "X5")) == [
        set(),
        {"brand=小米", "model=小米 红米 note"},
        {"brand=vivo", "model=vivo X5"},
    ]


def test_a_model_name_under_two_brands_is_two_columns():
    first, second, _ = columns_of_devices((1, "HTC", "M8"), (2, "Leo", "M8"))
    assert first == {"brand=HTC", "model=HTC M8"}
    assert second == {"brand=Leo", "model=Leo M8"}


def test_of_a_device_listed_twice_the_first_row_wins():
    assert columns_of_devices((1, "b", "late"), (1, "a", "early"))[0] == {"brand=b", "model=b late"}


def test_pairs_that_are_written_alike_are_one_column():
    assert columns_of_devices((1, "a b", "c"), (2, "a", "b c"))[:2] == [
        {"brand=a b", "model=a b c"},
        {"brand=a", "model=a b c"},
    ]


def test_phones_of_other_devices_make_no_column():
    assert brand_model(tables(phones=[(9, "a", "b")])["phone_brand_device_model"], DEVICES).names == []
