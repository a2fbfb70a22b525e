"""Whose name stands before what is said of a spec."""

import pytest

from errors import SourceError, SpecError
from tuning import SweepSpec
from tuning.spec.file import named_at_its_keys


@pytest.mark.parametrize("kind", [SpecError, SourceError])
@pytest.mark.parametrize(
    ("said", "table", "shown"),
    [
        ("cv.folds: 500 folds are too many.", "t.csv", "s.yaml: cv.folds: 500 folds are too many."),
        ("search: too many candidates.", "", "s.yaml: search: too many candidates."),
        ("t.csv: there is no column 'z'.", "t.csv", "t.csv: there is no column 'z'."),
        ("search.csv: there is no column 'z'.", "search.csv", "search.csv: there is no column 'z'."),
        ("grid: the folder holds no .parquet file.", "grid", "grid: the folder holds no .parquet file."),
    ],
)
def test_a_key_is_said_with_the_specs_file_and_a_table_that_is_called_like_one_is_not(kind, said, table, shown):
    with pytest.raises((SpecError, SourceError)) as caught, named_at_its_keys("s.yaml", SweepSpec, table, ""):
        raise kind(said)
    assert str(caught.value) == shown
