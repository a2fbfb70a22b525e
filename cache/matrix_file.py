"""Sparse matrices in ``.npz`` files, believed only as far as they have been checked.

SciPy's ``load_npz`` takes an archive at its word: a column number beyond the last column reads foreign memory in the
first product, and what a header says is allocated before a byte of it is there. So we read the five formats that
``save_npz`` writes ourselves: every header before any array, every array before the matrix, nothing that is pickled.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.lib import format as npy
from numpy.typing import NDArray

from cache.limits import memory, most_bytes, unpacks_to_too_much

_NUMBERS = "fiub"
_BYTES_PER_LINE = 64  # what is kept for each row and column, however empty, somewhere on the way
_LONGEST_NAME = 64
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}

_Arrays = Mapping[str, NDArray[Any]]


class MatrixError(ValueError):
    """The file holds no sound matrix; ``str()`` of it is why, as the middle of a sentence."""


def read_csr(path: Path) -> sp.csr_matrix:
    """Read what ``scipy.sparse.save_npz`` wrote: CSR, CSC, BSR, COO or DIA.

    Parameters
    ----------
    path : Path
        An existing file.

    Returns
    -------
    csr_matrix of shape (n_rows, n_columns)
        Canonical: columns of a row in order, each once. Numbers in the machine's byte order, of 4 or 8 bytes where they
        are fractions.

    Raises
    ------
    MatrixError
        It is no such file, it is damaged, or its parts do not fit together.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            matrix = _built(_Members(archive, path.stat().st_size))
        matrix.sum_duplicates()
    except (MatrixError, MemoryError):
        raise
    except Exception as error:  # whatever zipfile, zlib, numpy and Python's own parser raise for garbage
        raise MatrixError(f"it is no matrix, or damaged: {type(error).__name__}") from error
    return matrix


@dataclass(frozen=True)
class _Members:
    """The arrays of an archive, which are read one by one."""

    archive: zipfile.ZipFile
    packed: int

    def names(self) -> set[str]:
        return {info.filename.removesuffix(".npy") for info in self.archive.infolist()}

    def word(self, name: str) -> str:
        """Return a name such as ``csr``."""
        found = self.array(name, (0,), "SU", _LONGEST_NAME).item()
        return found.decode("ascii") if isinstance(found, bytes) else str(found)

    def values(self, dimensions: int) -> NDArray[Any]:
        """Read the matrix' values; whole numbers of 8 bytes, since equal cells are added up."""
        data = self.array("data", (dimensions,), _NUMBERS)
        return data if data.dtype.kind == "f" or data.dtype.itemsize == 8 else data.astype(np.int64)

    def array(self, name: str, dimensions: tuple[int, ...], kinds: str, most: int | None = None) -> NDArray[Any]:
        """Read an array once its header says that it is of one of the `kinds` and fills what the archive has of it."""
        info = self.archive.getinfo(f"{name}.npy")
        limit = most_bytes(self.packed) if most is None else most + 256
        if sum(each.file_size for each in self.archive.infolist()) > most_bytes(self.packed) or info.file_size > limit:
            raise MatrixError(unpacks_to_too_much(self.packed, most_bytes(self.packed)))
        with self.archive.open(info) as file:
            shape, _, dtype = _HEADERS[npy.read_magic(file)](file)
            header = file.tell()
        if dtype.kind not in kinds or dtype.hasobject:
            raise MatrixError(f"its {name} holds {dtype}, where numbers are expected")
        if len(shape) not in dimensions or any(length < 0 for length in shape):
            raise MatrixError(f"its {name} has the shape {shape}")
        if header + math.prod(shape) * dtype.itemsize != info.file_size:
            raise MatrixError(f"its {name} is cut short, or longer than it says")
        with self.archive.open(info) as file:
            return _native(npy.read_array(file, allow_pickle=False))


def _native(array: NDArray[Any]) -> NDArray[Any]:
    """Return numbers as compiled code takes them: half and quadruple precision are what libraries refuse or misread."""
    dtype = array.dtype.newbyteorder("=")
    if dtype.kind == "f" and dtype.itemsize not in (4, 8):
        dtype = np.dtype(np.float32 if dtype.itemsize < 4 else np.float64)
    return array.astype(dtype, copy=False)


def _built(members: _Members) -> sp.csr_matrix:
    if not {"format", "shape"} <= members.names():
        raise MatrixError("it has no format and shape")
    kind = members.word("format")
    if kind not in _BUILDERS:
        raise MatrixError(f"it is a matrix of the kind '{kind[:20]}'")
    shape = tuple(int(length) for length in members.array("shape", (1,), "iu", _LONGEST_NAME))
    if len(shape) != 2 or min(shape) < 0:
        raise MatrixError(f"its shape is {shape}")
    if _BYTES_PER_LINE * sum(shape) > memory():
        raise MatrixError(f"its shape, {shape[0]:,} x {shape[1]:,}, is more than this machine's memory can hold")
    return _BUILDERS[kind](members, (shape[0], shape[1]))


def _from_rows(members: _Members, shape: tuple[int, int]) -> sp.csr_matrix:
    return sp.csr_matrix(_compressed(members, shape[0], shape[1]), shape=shape)


def _from_columns(members: _Members, shape: tuple[int, int]) -> sp.csr_matrix:
    return sp.csc_matrix(_compressed(members, shape[1], shape[0]), shape=shape).tocsr()


def _from_blocks(members: _Members, shape: tuple[int, int]) -> sp.csr_matrix:
    data = members.values(3)
    height, width = data.shape[1:]
    if not height or not width or shape[0] % height or shape[1] % width:
        raise MatrixError(f"its blocks of {height} x {width} do not fill its shape")
    indices, indptr = _pointers(members, shape[0] // height, shape[1] // width, len(data))
    return sp.bsr_matrix((data[: indptr[-1]], indices, indptr), shape=shape).tocsr()


def _from_cells(members: _Members, shape: tuple[int, int]) -> sp.csr_matrix:
    row, column = members.array("row", (1,), "iu"), members.array("col", (1,), "iu")
    data = members.values(1)
    if not len(row) == len(column) == len(data):
        raise MatrixError("its row, col and data differ in length")
    _check_range("row", row, shape[0])
    _check_range("col", column, shape[1])
    return sp.coo_matrix((data, (row, column)), shape=shape).tocsr()


def _from_diagonals(members: _Members, shape: tuple[int, int]) -> sp.csr_matrix:
    data, offsets = members.values(2), members.array("offsets", (1,), "iu")
    if len(offsets) != len(data) or len(np.unique(offsets)) != len(offsets):
        raise MatrixError("its offsets are not one for each diagonal")
    if len(offsets) and not -shape[0] < int(offsets.min()) <= int(offsets.max()) < shape[1]:
        raise MatrixError("it has a diagonal beyond its last row or column")
    return sp.dia_matrix((data, offsets), shape=shape).tocsr()


_BUILDERS: Mapping[str, Callable[[_Members, tuple[int, int]], sp.csr_matrix]] = {
    "csr": _from_rows,
    "csc": _from_columns,
    "bsr": _from_blocks,
    "coo": _from_cells,
    "dia": _from_diagonals,
}


def _compressed(members: _Members, n_lines: int, n_across: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    data = members.values(1)
    indices, indptr = _pointers(members, n_lines, n_across, len(data))
    return data[: indptr[-1]], indices, indptr


def _pointers(members: _Members, n_lines: int, n_across: int, n_values: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the numbers across, and where each line begins among them, which is as far as `n_values` goes."""
    indices, indptr = members.array("indices", (1,), "iu"), members.array("indptr", (1,), "iu")
    if len(indptr) != n_lines + 1:
        raise MatrixError(f"its indptr has {len(indptr):,} entries for {n_lines:,} lines")
    if indptr[0] != 0 or (indptr[1:] < indptr[:-1]).any():
        raise MatrixError("its indptr does not begin at 0 and rise")
    if len(indices) != n_values or int(indptr[-1]) > n_values:
        raise MatrixError("its indptr, indices and data differ in length")
    used = indices[: indptr[-1]]
    _check_range("indices", used, n_across)
    return used, indptr


def _check_range(name: str, numbers: NDArray[Any], below: int) -> None:
    if len(numbers) and not 0 <= int(numbers.min()) <= int(numbers.max()) < below:
        raise MatrixError(
            f"its {name} go from {numbers.min():,} to {numbers.max():,}, where 0 to {below - 1:,} is expected"
        )
