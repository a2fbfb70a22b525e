"""CSV files inside zip archives, unpacked to disk one at a time.

Unpacking to disk rather than streaming into the parser keeps memory bounded and the parser the same for both; the
unpacked copy lives only as long as its table is being read.
"""

from __future__ import annotations

import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from errors import SourceError

_COPY_BYTES = 1 << 20


def is_archive(file: Path) -> bool:
    """Whether the name says that `file` is a zip archive."""
    return file.suffix == ".zip"


@contextmanager
def plain_csv(file: Path, csv_name: str, folder: Path, shown_as: str) -> Iterator[Path]:
    """Give the CSV file itself, or the member `csv_name` of a zip archive unpacked into `folder`.

    Raises
    ------
    SourceError
        The archive is truncated or corrupt (its CRC is checked), or does not hold `csv_name`.
    """
    if not is_archive(file):
        yield file
        return
    unpacked = folder / csv_name
    try:
        _unpack(file, csv_name, unpacked, shown_as)
        yield unpacked
    finally:
        unpacked.unlink(missing_ok=True)


def _unpack(file: Path, csv_name: str, unpacked: Path, shown_as: str) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            member = _member(archive, csv_name, shown_as)
            with archive.open(member) as packed, unpacked.open("wb") as plain:
                shutil.copyfileobj(packed, plain, _COPY_BYTES)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise SourceError(f"{shown_as}: the zip archive is truncated or corrupt ({error}). Re-download it.") from error
    except (NotImplementedError, RuntimeError) as error:  # an unknown compression method; a password
        raise SourceError(f"{shown_as}: the zip archive cannot be unpacked ({error}). Zip it again.") from error


def _member(archive: zipfile.ZipFile, csv_name: str, shown_as: str) -> zipfile.ZipInfo:
    """Return the member of that name, in whatever folder of the archive; macOS adds a second, hidden one."""
    files = [info for info in archive.infolist() if not info.is_dir() and not info.filename.startswith("__MACOSX/")]
    for info in files:
        if PurePosixPath(info.filename).name == csv_name:
            return info
    held = ", ".join(info.filename for info in files[:3]) or "nothing"
    raise SourceError(f"{shown_as}: the zip archive holds {held}, not {csv_name}. Zip {csv_name} under that name.")
