import numpy as np
import pytest

from errors import GridfoldError
from features.holdout import holdout_rows

LABELS = np.array(["a"] * 50 + ["b"] * 30 + ["c"] * 20)


def test_each_label_is_held_out_in_proportion():
    held = holdout_rows(LABELS, 0.1, seed=0)
    assert {label: int(held[label == LABELS].sum()) for label in "abc"} == {"a": 5, "b": 3, "c": 2}


def test_the_seed_alone_decides_which_rows():
    first, again, other = (holdout_rows(LABELS, 0.2, seed) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_rows_are_not_taken_by_position():
    held = np.flatnonzero(holdout_rows(LABELS, 0.2, seed=0))
    assert (np.diff(held) > 1).any()


def test_nothing_is_held_out_at_0_however_rare_a_label():
    assert not holdout_rows(np.array(["a", "b", "b"]), 0, seed=0).any()


@pytest.mark.parametrize("share", [-0.1, 1, 1.5, float("nan")])
def test_a_share_out_of_range_is_an_error(share):
    with pytest.raises(GridfoldError, match=rf"^holdout: {share} is not a share"):
        holdout_rows(LABELS, share, seed=0)


def test_a_label_with_one_row_is_an_error_that_names_it():
    with pytest.raises(GridfoldError, match=r"^holdout: the group 'z' has 1 device.*holdout=0"):
        holdout_rows(np.append(LABELS, "z"), 0.1, seed=0)


@pytest.mark.parametrize(("share", "part", "size"), [(0.01, "the hold-out", 1), (0.98, "the rest", 2)])
def test_a_part_with_fewer_rows_than_labels_is_an_error(share, part, size):
    with pytest.raises(GridfoldError, match=rf"at {share} of 100 devices {part} has {size}, too few for each of the 3"):
        holdout_rows(LABELS, share, seed=0)
