"""CSV files inside zip archives, unpacked to disk one at a time.

Unpacking to disk rather than streaming into the parser keeps memory bounded and the parser the same for both; the
unpacked copy lives only as long as its table is being read.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from cache.limits import most_on_disk, unpacks_to_too_much
from errors import CacheError, SourceError

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
            _check_size(member, unpacked.parent, shown_as)
            with archive.open(member) as packed, unpacked.open("wb") as plain:
                shutil.copyfileobj(packed, plain, _COPY_BYTES)
    except (NotImplementedError, RuntimeError) as error:  # an unknown compression method; a password
        raise SourceError(f"{shown_as}: the zip archive cannot be unpacked ({error}). Zip it again.") from error
    except SourceError:
        raise
    except Exception as error:  # zipfile, zlib, bz2 and lzma each have their own words for garbage
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the disk
        raise SourceError(f"{shown_as}: the zip archive is truncated or corrupt ({error}). Re-download it.") from error


def _check_size(member: zipfile.ZipInfo, folder: Path, shown_as: str) -> None:
    """Refuse a bomb by the size that it states; more than that is never read."""
    most = most_on_disk(member.compress_size)
    if member.file_size > most:
        raise SourceError(f"{shown_as}: the zip archive {unpacks_to_too_much(member.compress_size, most)}.")
    free = shutil.disk_usage(folder).free
    if member.file_size > free:
        raise CacheError(
            f"{shown_as}: unpacks to {member.file_size / 2**20:,.0f} MiB, and {folder} has {free / 2**20:,.0f} MiB "
            "free. Free some space, or set SWEEP_CACHE to a folder on another disk."
        )


def _member(archive: zipfile.ZipFile, csv_name: str, shown_as: str) -> zipfile.ZipInfo:
    """Return the member of that name, in whatever folder of the archive; macOS adds a second, hidden one."""
    files = [info for info in archive.infolist() if not info.is_dir() and not info.filename.startswith("__MACOSX/")]
    for info in files:
        if PurePosixPath(info.filename).name == csv_name:
            return info
    held = ", ".join(info.filename for info in files[:3]) or "nothing"
    raise SourceError(f"{shown_as}: the zip archive holds {held}, not {csv_name}. Zip {csv_name} under that name.")
