import pytest

from errors import GridfoldError
from features.devices import labelled_devices
from tests.features.small_tables import tables


def devices(*train: tuple[int, str]) -> list[tuple[int, str]]:
    return labelled_devices(tables(train=train)["gender_age_train"]).rows()


def test_rows_keep_the_order_of_the_file_and_their_64_bit_ids():
    listed = [(2**53 + 1, "M39+"), (-(2**63), "F23-"), (2**53, "M39+")]
    assert devices(*listed) == listed


def test_a_device_listed_again_with_its_group_counts_once_where_first_listed():
    assert devices((5, "F23-"), (3, "M39+"), (5, "F23-")) == [(5, "F23-"), (3, "M39+")]


def test_a_device_with_two_groups_is_an_error_that_names_it():
    with pytest.raises(GridfoldError, match=r"device 5 is listed with the groups 'F23-' and 'M39\+'\. Keep one row"):
        devices((5, "F23-"), (3, "M39+"), (5, "M39+"))


def test_further_devices_with_two_groups_are_counted():
    with pytest.raises(GridfoldError, match=r"device 5 .* \(and 1 more with several\)\."):
        devices((5, "F23-"), (3, "M39+"), (5, "M39+"), (3, "F23-"))


def test_one_group_is_nothing_to_learn():
    with pytest.raises(GridfoldError, match=r"^gender_age_train: all 2 devices have the group 'F23-'"):
        devices((1, "F23-"), (2, "F23-"))


def test_no_devices_at_all_is_an_error():
    with pytest.raises(GridfoldError, match=r"^gender_age_train: the table has no rows"):
        devices()
