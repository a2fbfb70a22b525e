import polars as pl
import pytest

from features.incidence import device_events, incidence
from tests.features.small_tables import tables

BEYOND_FLOAT = 2**53
EXTREMES = [-(2**63), -BEYOND_FLOAT - 1, -BEYOND_FLOAT, -1, 0, BEYOND_FLOAT, BEYOND_FLOAT + 1, 2**63 - 1]


def pairs(*rows: tuple[int | None, int | None]) -> pl.LazyFrame:
    return pl.LazyFrame(list(rows), schema={"left": pl.Int64, "right": pl.Int64}, orient="row")


def ids(*values: int) -> pl.Series:
    return pl.Series(values, dtype=pl.Int64)


def listed(relation, rows: pl.Series) -> set[tuple[int, int]]:
    found = relation.matrix.tocoo()
    return {(rows[int(row)], relation.columns[int(column)]) for row, column in zip(found.row, found.col, strict=True)}


def test_a_pair_is_one_true_entry_and_columns_ascend():
    rows = ids(30, 10, 20)
    relation = incidence(pairs((10, 7), (30, 5), (10, 5)), rows)
    assert relation.columns.to_list() == [5, 7]
    assert relation.matrix.toarray().tolist() == [[True, False], [True, True], [False, False]]


def test_duplicate_pairs_meet_in_one_entry():
    relation = incidence(pairs((1, 5), (2, 5), (1, 5), (1, 5)), ids(1, 2))
    assert relation.matrix.nnz == 2
    assert relation.matrix.data.tolist() == [True, True]


def test_pairs_of_other_rows_and_pairs_with_a_null_are_left_out():
    relation = incidence(pairs((1, 5), (9, 6), (None, 7), (1, None)), ids(1, 2))
    assert listed(relation, ids(1, 2)) == {(1, 5)}
    assert relation.columns.to_list() == [5]


def test_ids_that_a_float_would_confuse_stay_apart():
    rows = ids(*EXTREMES)
    expected = set(zip(EXTREMES, reversed(EXTREMES), strict=True))
    assert listed(incidence(pairs(*expected), rows), rows) == expected


def test_no_pairs_make_a_matrix_without_columns():
    assert incidence(pairs(), ids(1, 2)).matrix.shape == (2, 0)
    assert incidence(pairs((1, 2)), ids()).matrix.shape == (0, 0)


def test_events_stand_in_the_order_of_the_devices():
    events = tables(events=[(104, 2), (101, 1), (103, 3), (102, 2)])["events"]
    visits = device_events(events, ids(3, 2, 1))
    owners = [visits.events["event_id"].to_numpy()[row.indices].tolist() for row in visits.matrix]
    assert [sorted(own) for own in owners] == [[103], [102, 104], [101]]
    assert visits.matrix.indices.tolist() == [0, 1, 2, 3]


def test_events_of_other_devices_are_left_out():
    visits = device_events(tables(events=[(1, 7), (2, 8)])["events"], ids(8, 9))
    assert visits.events["event_id"].to_list() == [2]
    assert visits.matrix.toarray().tolist() == [[1], [0]]


@pytest.mark.parametrize(("first", "owners"), [(1, [[50], []]), (2, [[], [50]]), (7, [[], []])])
def test_an_event_listed_again_is_its_first_devices_even_if_that_is_a_stranger(first, owners):
    listings = sorted([1, 2, 7], key=lambda device: device != first)
    visits = device_events(tables(events=[(50, device) for device in listings])["events"], ids(1, 2))
    assert [visits.events["event_id"].to_numpy()[row.indices].tolist() for row in visits.matrix] == owners
