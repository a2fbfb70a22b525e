"""Which files a person may name as their own table, and what is behind a name: endings, packing, folders of parts.

Only regular files are opened: a pipe or a device named by mistake would be waited for without end.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TextIO

from cache.limits import memory, most_bytes, unpacks_to_too_much
from errors import SourceError, did_you_mean
from sources.digests import sha256_of

CSV, PARQUET, SPARSE = "csv", "parquet", "npz"
_KINDS = {".csv": CSV, ".tsv": CSV, ".parquet": PARQUET, ".pq": PARQUET, ".npz": SPARSE}
_PACKED: dict[str, Callable[[Path], Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_ZIP = ".zip"
_PARTS = (".parquet", ".pq")
_BUFFER = 1 << 18
TABLES = ".csv or .tsv (also with .gz, .bz2, .xz or .zip), .parquet, or a folder of .parquet parts"


def kind_of(path: Path) -> str | None:
    """Return what the ending says the file is, whatever its case: CSV, PARQUET or SPARSE; None for another ending."""
    kind = _KINDS.get(_table_suffix(path))
    return kind if kind == CSV or not _packing(path) else None


def is_tab_separated(path: Path) -> bool:
    """Whether the ending says that tabs separate the columns."""
    return _table_suffix(path) == ".tsv"


def table_name(file: str) -> str:
    """Return the file's name without folder and endings."""
    path = Path(file)
    return path.with_suffix("").stem if _packing(path) and kind_of(path) else path.stem if kind_of(path) else path.name


def existing(file: str, parameter: str, sparse: bool) -> tuple[Path, str]:
    """Return the file, or the folder of parts, that a person named, and its kind.

    Parameters
    ----------
    file : str
        ``~`` stands for the home folder.
    parameter : str
        What it was given as.
    sparse : bool
        Whether a ``.npz`` matrix will do.

    Raises
    ------
    SourceError
        There is no such file, it is nothing that can be read, or its ending is of no known kind.
    """
    path = Path(os.path.expanduser(file))
    where = f"-P {parameter}={file}"
    mode = _mode(path, where)
    if mode is not None and stat.S_ISDIR(mode):
        return path, PARQUET
    kind = kind_of(path)
    if kind is None or (kind == SPARSE and not sparse):
        raise SourceError(f"{where}: expected a file that ends in {TABLES}{', or .npz' if sparse else ''}.")
    if mode is None:
        near = [entry.name for entry in path.parent.glob("*") if entry.is_file()] if path.parent.is_dir() else []
        raise SourceError(f"{where}: no such file.{did_you_mean(path.name, near)}")
    if not stat.S_ISREG(mode):
        raise SourceError(f"{where}: this is a pipe, a socket or a device. Write the rows to a file, and name that.")
    return path, kind


def parts_of(folder: Path, shown_as: str) -> list[Path]:
    """Return the Parquet files in a folder such as Spark writes, in order of their names.

    Raises
    ------
    SourceError
        There is none.
    """
    found = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in _PARTS and path.is_file()]
    parts = [path for path in found if not any(name[0] in "_." for name in path.relative_to(folder).parts)]
    if not parts:
        raise SourceError(f"{shown_as}: the folder holds no .parquet file. Name a file, or a folder of Parquet parts.")
    for part in parts:
        check_inside(part, folder, shown_as)
    return parts


def check_inside(file: Path, folder: Path, shown_as: str) -> None:
    """Refuse a link in a folder that leads out of it: who sends a folder must not choose what else is read here.

    Raises
    ------
    SourceError
    """
    meant = Path(os.path.realpath(file))
    if not meant.is_relative_to(os.path.realpath(folder)):
        raise SourceError(
            f"{shown_as}: {file.name} is a link that leads out of the folder, to {meant}. Put the file itself there, "
            "or name the folder that it is in."
        )


def digest_of(path: Path, shown_as: str) -> str:
    """Return a SHA-256 over the content of the file, or of all parts of the folder."""
    if not path.is_dir():
        return sha256_of(path)
    each = [f"{part.relative_to(path)} {sha256_of(part)}" for part in parts_of(path, shown_as)]
    return hashlib.sha256("\n".join(each).encode()).hexdigest()


@contextmanager
def opened_text(path: Path, shown_as: str) -> Iterator[TextIO]:
    """Open a CSV file, packed or not, as UTF-8 text."""
    packed = path.stat().st_size
    most = most_bytes(packed) if _packing(path) else memory()
    if packed > most:
        raise SourceError(f"{shown_as}: the file has {packed / 2**30:,.0f} GiB, more than this machine's memory.")
    with _opened(path, shown_as) as binary:
        bounded = _Bounded(binary, most, f"{shown_as}: the file {unpacks_to_too_much(packed, most)}.")
        yield io.TextIOWrapper(io.BufferedReader(bounded, _BUFFER), encoding="utf-8-sig", newline="")


class _Bounded(io.RawIOBase):
    """A stream that is read no further than it may be: what unpacks without end is not waited for."""

    def __init__(self, stream: IO[bytes], most: int, refusal: str) -> None:
        self._stream, self._left, self._refusal = stream, most, refusal

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._stream.read(len(buffer))
        self._left -= len(content)
        if self._left < 0:
            raise SourceError(self._refusal)
        buffer[: len(content)] = content
        return len(content)


@contextmanager
def _opened(path: Path, shown_as: str) -> Iterator[IO[bytes]]:
    packing = _packing(path)
    if packing == _ZIP:
        with zipfile.ZipFile(path) as archive:
            names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
            names = [name for name in names if not name.startswith("__MACOSX/")]
            if len(names) != 1:
                raise SourceError(f"{shown_as}: the archive holds {len(names)} files. Pack the one table alone.")
            with archive.open(names[0]) as file:
                yield file
        return
    with _PACKED.get(packing, _plain)(path) as file:
        yield file


def _plain(path: Path) -> IO[bytes]:
    return path.open("rb")


def _packing(path: Path) -> str:
    suffix = path.suffix.lower()
    return suffix if suffix in _PACKED or suffix == _ZIP else ""


def _table_suffix(path: Path) -> str:
    return (path.with_suffix("") if _packing(path) else path).suffix.lower()


def _mode(path: Path, where: str) -> int | None:
    """Return the file's mode, None where there is nothing."""
    try:
        return path.stat().st_mode
    except OSError as error:
        if path.is_symlink():
            raise SourceError(f"{where}: this link leads nowhere ({os.strerror(error.errno or 0)}).") from error
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            return None
        raise SourceError(f"{where}: the file cannot be opened ({os.strerror(error.errno or 0)}).") from error
