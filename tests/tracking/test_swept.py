"""What a past sweep was asked, as it was typed."""

import shlex

import pytest

from tracking.swept import as_typed


@pytest.mark.parametrize("value", ["synthetic", "/a folder/of mine", "it's", "", "'", '"'])
def test_the_quotes_of_mlflow_run_are_taken_off_again(value):
    assert as_typed(shlex.quote(value)) == value
    assert as_typed(value) == value


def test_so_are_those_of_windows():
    assert as_typed(r'"C:\Users\Ann Example\rows.csv"') == r"C:\Users\Ann Example\rows.csv"
