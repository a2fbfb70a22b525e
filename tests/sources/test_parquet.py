"""What is written can be read back, and its footer tells what checks need."""

from __future__ import annotations

import errno
from pathlib import Path

import polars as pl
import pytest

from sources import parquet


@pytest.fixture
def path(tmp_path):
    return tmp_path / "table.parquet"


def test_rows_and_empty_cells_are_counted_over_all_row_groups(path, monkeypatch):
    monkeypatch.setattr(parquet, "_ROW_GROUP", 10)
    frame = pl.DataFrame({"a": [None, *range(98), None], "b": list(range(100))})
    parquet.write(frame.lazy(), path)
    assert pl.read_parquet(path).equals(frame)
    assert parquet.row_count(path) == 100
    assert parquet.empty_cells(path) == {"a": 2, "b": 0}


def test_a_refusal_of_the_disk_is_told_as_such():
    with pytest.raises(OSError, match=r"/dev/full") as caught:
        parquet.write(pl.DataFrame({"a": list(range(100_000))}).lazy(), Path("/dev/full"))
    assert caught.value.errno == errno.ENOSPC
