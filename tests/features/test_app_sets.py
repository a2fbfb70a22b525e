import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from features.app_sets import app_sets, distinct_columns, named_categories
from features.incidence import device_events
from tests.features.small_tables import frame, tables

ALL = ("app_labels", "text_category", "one_hot_category")
FOUR_EVENTS = [(event, 1) for event in (10, 11, 12, 13)]


def shares(wanted: tuple[str, ...] = ALL, **cells) -> dict[str, float]:
    """Return the columns of device 1, by name."""
    given_tables = tables(events=FOUR_EVENTS, **cells)
    visits = device_events(given_tables["events"], pl.Series([1], dtype=pl.Int64))
    blocks = app_sets(wanted, visits, given_tables)
    return {name: float(block.values[0, at]) for block in blocks for at, name in enumerate(block.names)}


def test_the_share_of_an_app_is_of_all_events_those_without_apps_included():
    assert shares(app_events=[(10, 7), (11, 7), (11, 8), (12, 7)]) == {"app=7": 0.75, "app=8": 0.25}


def test_apps_of_one_event_that_share_a_label_count_once():
    found = shares(app_events=[(10, 7), (10, 8), (11, 8)], app_labels=[(7, 1), (8, 1), (8, 2)])
    assert found == {"app=7": 0.25, "app=8": 0.5, "label=1": 0.5, "label=2": 0.5}


def test_labels_that_share_a_category_are_united_and_not_added():
    found = shares(
        app_events=[(10, 7), (10, 8), (11, 7), (12, 8)],
        app_labels=[(7, 1), (8, 2)],
        label_categories=[(1, "Games"), (2, " games ")],
    )
    assert (found["label=1"], found["label=2"]) == (0.5, 0.5)
    assert (found["category=games"], found["uses_category=games"]) == (0.75, 1.0)


def test_a_label_of_two_categories_counts_in_both():
    found = shares(app_events=[(10, 7)], app_labels=[(7, 1)], label_categories=[(1, "a"), (1, "b"), (1, "a")])
    assert (found["category=a"], found["category=b"]) == (0.25, 0.25)


def test_duplicate_rows_change_nothing():
    cells = {"app_events": [(10, 7), (11, 7)], "app_labels": [(7, 1)], "label_categories": [(1, "a")]}
    assert shares(**{name: rows * 3 for name, rows in cells.items()}) == shares(**cells)


def test_the_flags_of_an_app_event_change_nothing():
    flagged = frame("app_events", [(10, 7, 1, 1), (10, 7, 1, 0), (11, 7, 0, 0)]).lazy()
    given_tables = tables(events=FOUR_EVENTS) | {"app_events": flagged}
    visits = device_events(given_tables["events"], pl.Series([1], dtype=pl.Int64))
    (block,) = app_sets(["app_labels"], visits, given_tables)
    assert block.values.toarray().tolist() == [[0.5]]


def test_what_no_event_has_makes_no_column():
    found = shares(
        app_events=[(10, 7), (99, 8)], app_labels=[(7, 1), (8, 2)], label_categories=[(2, "unseen"), (3, "unused")]
    )
    assert found == {"app=7": 0.25, "label=1": 0.25}


@pytest.mark.parametrize("wanted", [(name,) for name in ALL] + [ALL[:2], ALL[1:], (ALL[0], ALL[2])])
def test_each_set_is_the_same_alone_as_among_others(wanted):
    cells = {
        "app_events": [(10, 7), (11, 8), (12, 9)],
        "app_labels": [(7, 1), (8, 1), (8, 2)],
        "label_categories": [(1, "a"), (2, "b")],
    }
    kinds = {"app_labels": ("app=", "label="), "text_category": ("category=",), "one_hot_category": ("uses_category=",)}
    prefixes = tuple(prefix for name in wanted for prefix in kinds[name])
    expected = {name: share for name, share in shares(**cells).items() if name.startswith(prefixes)}
    assert shares(wanted, **cells) == expected
    assert expected


@pytest.mark.parametrize("category", [None, "", "  "])
def test_a_category_without_a_name_is_dropped(category):
    rows = frame("label_categories", [(1, category), (2, " Unknown  Name ")]).lazy()
    assert named_categories(rows).collect().rows() == [(2, "unknown  name")]


@given(columns=st.lists(st.sets(st.integers(0, 3)), max_size=12))
def test_distinct_columns_are_distinct_and_give_every_column_back(columns):
    dense = np.array([[row in column for column in columns] for row in range(4)], dtype=bool).reshape(4, len(columns))
    first, place = distinct_columns(sp.csc_matrix(dense))
    kept = dense[:, first]
    np.testing.assert_array_equal(kept[:, place], dense)
    assert len({tuple(column) for column in kept.T}) == len(first)
