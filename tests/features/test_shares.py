import tracemalloc

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from features.shares import device_blocks, event_shares


def random_problem(seed: int) -> tuple[sp.csr_matrix, sp.csr_matrix, sp.csr_matrix]:
    rng = np.random.default_rng(seed)
    events_of = rng.integers(0, 6, 9)
    n_events, n_items, n_columns = int(events_of.sum()), 8, 5
    first = np.concatenate([[0], np.cumsum(events_of)])
    D = sp.csr_matrix((np.ones(n_events, np.int32), np.arange(n_events), first), shape=(9, n_events))
    E = sp.csr_matrix(rng.random((n_events, n_items)) < 0.4)
    A = sp.csr_matrix(rng.random((n_items, n_columns)) < 0.3)
    return D, E, A


@pytest.mark.parametrize("seed", range(5))
def test_shares_are_what_the_dense_formula_says(seed):
    D, E, A = random_problem(seed)
    d, e, a = (matrix.toarray().astype(int) for matrix in (D, E, A))
    expected = (d @ (e @ a > 0)) / np.maximum(d.sum(axis=1, keepdims=True), 1)
    shares = event_shares(D, E, A)
    assert shares.dtype == np.float32
    np.testing.assert_array_equal(shares.toarray(), expected.astype(np.float32))


@given(seed=st.integers(0, 999), block_items=st.integers(1, 40))
def test_the_size_of_the_blocks_changes_nothing(seed, block_items):
    D, E, A = random_problem(seed)
    whole, cut = event_shares(D, E, A), event_shares(D, E, A, block_items=block_items)
    for part in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(cut, part), getattr(whole, part))


def test_more_than_255_items_with_a_column_are_still_one_event():
    D = sp.csr_matrix(np.ones((1, 1), np.int32))
    E = sp.csr_matrix(np.ones((1, 256), bool))
    A = sp.csr_matrix(np.ones((256, 1), bool))
    assert event_shares(D, E, A).toarray().tolist() == [[1.0]]


@given(items=st.lists(st.integers(0, 9), max_size=30), bound=st.integers(1, 12))
def test_blocks_cover_the_devices_in_order_and_keep_the_bound_but_for_a_device_alone(items, bound):
    blocks = list(device_blocks(np.array(items, dtype=int), bound))
    assert [device for block in blocks for device in range(block.start, block.stop)] == list(range(len(items)))
    for block in blocks:
        assert sum(items[block]) <= bound or block.stop - block.start == 1


def test_memory_follows_the_block_and_not_the_number_of_events():
    """40,000 events of 40 columns each are 1.6 million entries before they are added up, and 800 after."""
    events = 40_000
    D = sp.csr_matrix(
        (np.ones(events, np.int32), np.arange(events), np.arange(0, events + 1, 2000)), shape=(20, events)
    )
    E = sp.csr_matrix(np.ones((events, 1), bool))
    A = sp.csr_matrix(np.ones((1, 40), bool))

    def peak(block_items: int) -> int:
        tracemalloc.start()
        event_shares(D, E, A, block_items=block_items)
        largest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return largest

    assert peak(block_items=2000) < peak(block_items=events) / 4
