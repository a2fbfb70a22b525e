"""The file of predictions is exact, and whole or absent."""

import numpy as np
import polars as pl
import pytest

from entrypoints.scoring.predictions import check_output, predictions_file
from errors import SpecError

LARGE = [-(2**63), 2**53 + 1, 5]


def batch(dtype=np.float32):
    values = np.random.default_rng(0).dirichlet(np.ones(3), 3).astype(dtype).astype(np.float64)
    return pl.DataFrame({"device_id": LARGE, **dict(zip(["F23-", "M22-", "M39+"], values.T, strict=True))})


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_written_is_read_back_to_the_last_bit(tmp_path, suffix, dtype):
    path = tmp_path / f"out{suffix}"
    rows = batch(dtype)
    with predictions_file(path) as write:
        write(rows)
        write(rows)
    read = pl.read_csv(path) if suffix == ".csv" else pl.read_parquet(path)
    assert read.columns == rows.columns
    assert read["device_id"].to_list() == LARGE * 2
    back, values = read.drop("device_id").to_numpy(), rows.drop("device_id").to_numpy()
    np.testing.assert_array_equal(back.astype(dtype), np.concatenate([values, values]).astype(dtype))


def test_no_more_digits_are_written_than_the_model_computes(tmp_path):
    with predictions_file(tmp_path / "out.csv") as write:
        write(batch())
    assert max(len(cell) for cell in (tmp_path / "out.csv").read_text().replace("\n", ",").split(",")) <= 20


def write_half(path, rows) -> None:
    with predictions_file(path) as write:
        write(rows)
        raise KeyError("half")


def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("yesterday's")
    with pytest.raises(KeyError):
        write_half(path, batch())
    assert [file.name for file in tmp_path.iterdir()] == ["out.csv"]
    assert path.read_text() == "yesterday's"


@pytest.mark.parametrize(
    ("output", "said"), [("out.xlsx", "ends in .csv or .parquet"), ("none/out.csv", "no folder none")]
)
def test_an_output_that_cannot_be_is_refused_before_any_work(output, said):
    with pytest.raises(SpecError, match=said):
        check_output(output)
