import json
import os
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import scipy.sparse as sp

from errors import GridfoldError
from features import FeatureMatrix, build
from tests.features.small_tables import tables

FILES = ["matrix.npz", "columns.parquet", "rows.parquet", "manifest.json"]
TRAIN = [(device, "F23-" if device % 2 else "M39+") for device in range(2**53, 2**53 + 20)]


@pytest.fixture(scope="module")
def matrix() -> FeatureMatrix:
    phones = [(device, "brand", f"model {device % 3}") for device, _ in TRAIN]
    return build(tables(train=TRAIN, phones=phones), ["brand_model"], holdout=0.2, seed=3, fingerprint="f00d")


@pytest.fixture
def folder(matrix: FeatureMatrix, tmp_path: Path) -> Path:
    matrix.save(tmp_path)
    return tmp_path


def test_what_is_saved_is_loaded_again(matrix, folder):
    loaded = FeatureMatrix.load(folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert (loaded.X != matrix.X).nnz == 0
    assert loaded.X.dtype == np.float32
    assert loaded.X.format == "csr"
    assert loaded.columns.equals(matrix.columns)
    assert loaded.rows.equals(matrix.rows)
    assert loaded.manifest == matrix.manifest


def test_the_files_open_without_this_program(folder):
    assert sp.load_npz(folder / "matrix.npz").shape == (20, 4)
    assert pl.read_parquet_schema(folder / "columns.parquet") == {"name": pl.String, "set": pl.String}
    assert pl.read_parquet_schema(folder / "rows.parquet") == {
        "device_id": pl.Int64,
        "label": pl.String,
        "split": pl.String,
    }
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["fingerprint"] == "f00d"
    assert manifest["counts"]["rows"] == 20


def test_each_row_is_either_trained_on_or_held_out(matrix):
    assert len(matrix.holdout_rows) == 4
    assert sorted([*matrix.train_rows, *matrix.holdout_rows]) == list(range(20))
    assert set(matrix.rows["split"].gather(matrix.holdout_rows)) == {"holdout"}


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_one_line_that_names_the_folder(folder, name):
    (folder / name).unlink()
    assert_not_whole(folder)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("left", [0, 40, 0.9])
def test_a_truncated_file_is_never_taken_for_whole(folder, name, left):
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: int(len(whole) * left) if left < 1 else left])
    assert_not_whole(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_another_matrix_is_noticed(folder, tmp_path_factory, name):
    other = tmp_path_factory.mktemp("other")
    phones = [(device, "brand", "model") for device, _ in TRAIN[:-1]]
    build(tables(train=TRAIN[:-1], phones=phones), ["brand_model"], holdout=0).save(other)
    shutil.copy(other / name, folder / name)
    assert_not_whole(folder)


@pytest.mark.parametrize("manifest", ["[]", "{}", '{"counts": 3}', "null"])
def test_a_manifest_of_something_else_is_noticed(folder, manifest):
    (folder / "manifest.json").write_text(manifest)
    assert_not_whole(folder)


def test_tables_that_swapped_places_are_noticed(folder):
    shutil.copy(folder / "rows.parquet", folder / "columns.parquet")
    assert_not_whole(folder)


def assert_not_whole(folder: Path) -> None:
    with pytest.raises(GridfoldError) as failure:
        FeatureMatrix.load(folder)
    message = str(failure.value)
    assert message.startswith(f"{folder}: not a whole feature matrix: ")
    assert message.endswith(" Delete the folder and run featurize again.")
    assert "\n" not in message


@pytest.mark.parametrize("name", FILES)
def test_a_pipe_in_a_file_s_place_is_not_waited_for(folder, name):
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(GridfoldError, match=f"{name} is missing, or no file"):
        FeatureMatrix.load(folder)


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("rows.parquet", {"device_id": [1] * 20, "label": ["a"] * 20, "split": ["elsewhere"] * 20}),
        ("rows.parquet", {"device_id": [1.5] * 20, "label": ["a"] * 20, "split": ["train"] * 20}),
        ("rows.parquet", {"device_id": [1] * 20, "label": ["a"] * 19 + [None], "split": ["train"] * 20}),
        ("columns.parquet", {"name": [1] * 4, "set": ["a"] * 4}),
    ],
)
def test_tables_of_another_kind_are_refused(folder, name, table):
    pl.DataFrame(table).write_parquet(folder / name)
    with pytest.raises(GridfoldError, match=f"not a whole feature matrix: ValueError: {name} has"):
        FeatureMatrix.load(folder)


def test_a_matrix_that_would_read_foreign_memory_is_refused(matrix, folder):
    X = matrix.X.copy()
    X.indices[:] = 10**6
    sp.save_npz(folder / "matrix.npz", X)
    with pytest.raises(GridfoldError, match="its indices go from 1,000,000 to 1,000,000"):
        FeatureMatrix.load(folder)


def test_nested_json_is_refused(folder):
    (folder / "manifest.json").write_text("[" * 100_000)
    with pytest.raises(GridfoldError, match="RecursionError"):
        FeatureMatrix.load(folder)
