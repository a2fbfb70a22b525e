"""A matrix is read as SciPy would, or refused in words; what does not fit together never reaches compiled code."""

import io
import struct
import zipfile

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cache import limits, matrix_file
from cache.matrix_file import MatrixError, read_csr

SOUND = sp.random_array((6, 4), density=0.5, format="csr", random_state=0)
PARTS = {
    "format": np.array(b"csr"),
    "shape": np.array(SOUND.shape),
    "data": SOUND.data,
    "indices": SOUND.indices,
    "indptr": SOUND.indptr,
}


def written(path, **changed):
    """Write the sound matrix with some of its parts changed; those that are None left out."""
    parts = {name: part for name, part in (PARTS | changed).items() if part is not None}
    np.savez(path, **parts)
    return path


def member(array: np.ndarray, header: dict | None = None) -> bytes:
    """The bytes of an array under a header that says something else."""
    buffer = io.BytesIO()
    said = np.lib.format.header_data_from_array_1_0(array) | (header or {})
    np.lib.format.write_array_header_1_0(buffer, said)
    return buffer.getvalue() + array.tobytes()


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "bsr", "dia"])
@pytest.mark.parametrize("dtype", ["f4", ">f8", "f2", "i1", ">u2", "?", "g"])
@pytest.mark.parametrize("compressed", [True, False])
def test_all_that_scipy_writes_is_read_as_scipy_reads_it(tmp_path, kind, dtype, compressed):
    dense = (SOUND.toarray() * 100).astype(dtype)
    matrix = sp.csr_matrix(dense.astype(float)).asformat(kind)
    matrix.data = matrix.data.astype(dtype)
    sp.save_npz(tmp_path / "x.npz", matrix, compressed=compressed)
    read = read_csr(tmp_path / "x.npz")
    np.testing.assert_array_equal(read.toarray().astype(float), dense.astype(float))
    assert read.has_canonical_format
    assert read.data.dtype.isnative
    assert read.data.dtype.itemsize in (4, 8)


def test_cells_that_are_there_twice_are_added_up(tmp_path):
    matrix = sp.coo_matrix((np.array([200, 200], np.uint8), ([1, 1], [2, 2])), shape=(3, 3))
    sp.save_npz(tmp_path / "x.npz", matrix)
    assert read_csr(tmp_path / "x.npz").toarray()[1, 2] == 400


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"indices": np.full_like(SOUND.indices, 4)}, "indices go from 4 to 4, where 0 to 3 is expected"),
        ({"indices": np.full_like(SOUND.indices, -1)}, "indices go from -1 to -1"),
        ({"indices": np.full(SOUND.nnz, 2**63, np.uint64)}, "indices go from 9,223,372,036,854,775,808"),
        ({"indices": SOUND.indices.astype(float)}, "indices holds float64"),
        ({"indices": SOUND.indices[:-1]}, "differ in length"),
        ({"indptr": SOUND.indptr[::-1].copy()}, "does not begin at 0 and rise"),
        ({"indptr": SOUND.indptr + 1}, "does not begin at 0 and rise"),
        ({"indptr": SOUND.indptr * 2}, "differ in length"),
        ({"indptr": SOUND.indptr[:-1]}, "indptr has 6 entries for 6 lines"),
        ({"indptr": np.array([0])}, "indptr has 1 entries for 6 lines"),
        ({"indptr": SOUND.indptr.reshape(1, -1)}, "indptr has the shape (1, 7)"),
        ({"data": SOUND.data + 1j}, "data holds complex128"),
        ({"data": SOUND.data.astype("U9")}, "data holds <U9"),
        ({"data": np.array([{}] * SOUND.nnz, dtype=object)}, "data holds object"),
        ({"data": SOUND.data[:-1]}, "differ in length"),
        ({"data": None}, "no matrix, or damaged: KeyError"),
        ({"shape": np.array([6, -4])}, "its shape is (6, -4)"),
        ({"shape": np.array([6])}, "its shape is (6,)"),
        ({"shape": np.array([6, 2**62])}, "more than this machine's memory can hold"),
        ({"shape": np.array(["6", "4"])}, "shape holds <U1"),
        ({"format": np.array(b"lil")}, "a matrix of the kind 'lil'"),
        ({"format": np.array(b"csr" * 99)}, "unpacks to more than"),
        ({"format": np.array(3)}, "format holds int64"),
        ({"format": None}, "no format and shape"),
    ],
)
def test_what_does_not_fit_together_is_refused(tmp_path, changed, said):
    with pytest.raises(MatrixError) as caught:
        read_csr(written(tmp_path / "x.npz", **changed))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "parts", "said"),
    [
        ("coo", {"row": [0, 9], "col": [0, 1], "data": [1.0, 2.0]}, "row go from 0 to 9"),
        ("coo", {"row": [0], "col": [0, 1], "data": [1.0, 2.0]}, "differ in length"),
        ("dia", {"data": [[1.0, 2.0]], "offsets": [9]}, "a diagonal beyond"),
        ("dia", {"data": [[1.0, 2.0]], "offsets": [0, 1]}, "not one for each diagonal"),
        ("dia", {"data": [[1.0], [2.0]], "offsets": [1, 1]}, "not one for each diagonal"),
        ("bsr", {"data": np.ones((1, 5, 5)), "indices": [0], "indptr": [0, 1]}, "blocks of 5 x 5 do not fill"),
        ("bsr", {"data": np.ones((1, 0, 2)), "indices": [0], "indptr": [0, 1]}, "blocks of 0 x 2 do not fill"),
        ("bsr", {"data": np.ones((1, 2, 2)), "indices": [2], "indptr": [0, 1, 1, 1]}, "indices go from 2 to 2"),
    ],
)
def test_the_other_formats_are_held_to_their_shapes_too(tmp_path, kind, parts, said):
    np.savez(tmp_path / "x.npz", format=np.array(kind.encode()), shape=np.array([6, 4]), **parts)
    with pytest.raises(MatrixError) as caught:
        read_csr(tmp_path / "x.npz")
    assert said in str(caught.value)


def test_a_header_that_says_more_than_is_there_takes_no_memory(tmp_path):
    written(tmp_path / "x.npz", data=None)
    with zipfile.ZipFile(tmp_path / "x.npz", "a") as archive:
        archive.writestr("data.npy", member(SOUND.data, {"shape": (2**40,)}))
    with pytest.raises(MatrixError, match="data is cut short, or longer than it says"):
        read_csr(tmp_path / "x.npz")


def test_a_bomb_is_refused_by_what_it_says_it_unpacks_to(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "ALWAYS", 2**20)
    with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in (PARTS | {"data": np.zeros(2**19)}).items():
            archive.writestr(f"{name}.npy", member(part))
    with pytest.raises(MatrixError, match=r"unpacks to more than 1 MiB, from 0\.0"):
        read_csr(tmp_path / "x.npz")


def test_a_length_in_the_archive_s_directory_that_is_a_lie_is_found(tmp_path):
    """What is read is bounded by the directory; what the directory leaves out is not read."""
    file = written(tmp_path / "x.npz")
    content = bytearray(file.read_bytes())
    place = content.rindex(b"data.npy") - 46 + 24  # the unpacked size in the central directory
    content[place : place + 4] = struct.pack("<I", 2**31 - 1)
    file.write_bytes(bytes(content))
    with pytest.raises(MatrixError):
        read_csr(file)


@settings(max_examples=150, deadline=None)
@given(
    place=st.integers(0, 1500),
    value=st.integers(0, 255),
    cut=st.integers(0, 200),
)
def test_any_byte_may_be_wrong(tmp_path_factory, place, value, cut):
    file = tmp_path_factory.getbasetemp() / "damaged.npz"
    content = bytearray(written(file).read_bytes())
    content[place % len(content)] = value
    file.write_bytes(bytes(content[: len(content) - cut * (cut > 150)]))
    _is_read_or_refused(file)


@settings(max_examples=150, deadline=None)
@given(
    shape=st.tuples(st.integers(-2, 8), st.integers(-2, 8)),
    parts=st.fixed_dictionaries(
        {
            name: hnp.arrays(
                st.sampled_from(["i4", "i8", "u8", "f4", "?"]),
                hnp.array_shapes(max_dims=2, max_side=9),
                fill=st.just(0),
            )
            for name in ("data", "indices", "indptr", "row", "col", "offsets")
        }
    ),
    kind=st.sampled_from(sorted(matrix_file._BUILDERS)),
)
def test_any_arrays_may_stand_in_it(tmp_path_factory, shape, parts, kind):
    file = tmp_path_factory.getbasetemp() / "any.npz"
    np.savez(file, format=np.array(kind.encode()), shape=np.array(shape), **parts)
    _is_read_or_refused(file)


def _is_read_or_refused(file) -> None:
    try:
        matrix = read_csr(file)
    except MatrixError:
        return
    sp.csr_array(matrix).check_format(full_check=True)
    assert matrix.has_canonical_format
