"""A folder of the seven files, ``NAME.csv`` or ``NAME.csv.zip``.

Its identity is the SHA-256 of every file. Hashing beside parsing costs next to nothing on two cores, so a folder that
was never seen is hashed while it is read; one that was is told by the files' stamps alone.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cache import Cache
from errors import SourceError
from sources.base import Identity, Written
from sources.digests import DigestIndex, Stamp, sha256_of, stamp
from sources.files import InputFile, names_of, write_tables
from sources.own_file import check_inside
from sources.progress import Progress
from sources.schema import TABLES, Table
from sources.tables import TableRecord


@dataclass(frozen=True)
class FolderSource:
    """Seven files in one folder; where both ``NAME.csv`` and ``NAME.csv.zip`` are there, the former counts."""

    folder: Path

    @property
    def name(self) -> str:
        """What a person calls it."""
        return str(self.folder)

    def identity(self, cache: Cache) -> Identity | None:
        """Return the digests, where all files are remembered or look like ones that are."""
        index = DigestIndex(cache)
        paths = [file.path for file in self._files()]
        if not all(index.find(path) or index.has_size_of(path) for path in paths):
            return None
        stamps = {path: stamp(path) for path in paths}
        digests = {path: index.find(path) or sha256_of(path) for path in paths}
        self._remember(index, stamps, digests)
        return _identity(self._files(), digests)

    def write_tables(self, folder: Path, cache: Cache, progress: Progress) -> Written:
        """Parse the files into `folder`, hashing them meanwhile."""
        files = self._files()
        index = DigestIndex(cache)
        stamps = {file.path: stamp(file.path) for file in files}
        with _hashing(index, stamps) as digests:
            rows = write_tables(files, folder, progress)
        self._remember(index, stamps, digests)
        records = {
            file.table.name: TableRecord(rows=rows[file.table.name], input=file.path.name, sha256=digests[file.path])
            for file in files
        }
        return Written(_identity(files, digests), records)

    def _files(self) -> list[InputFile]:
        if not self.folder.is_dir():
            raise SourceError(
                f"{self.folder}: there is no such folder. Check the spelling of data, or make the folder."
            )
        return [self._file(table) for table in TABLES.values()]

    def _file(self, table: Table) -> InputFile:
        for name in names_of(table):
            path = self.folder / name
            if path.is_file():
                if not os.access(path, os.R_OK):
                    raise SourceError(f"{path}: the file may not be read. Change its permissions.")
                check_inside(path, self.folder, str(self.folder))
                return InputFile(table, path, str(path))
        raise SourceError(
            f"{self.folder}: {' or '.join(names_of(table))} is missing. "
            f"Put the seven files there: {', '.join(TABLES)}, each as .csv or .csv.zip."
        )

    def _remember(self, index: DigestIndex, stamps: Mapping[Path, Stamp], digests: Mapping[Path, str]) -> None:
        for path, before in stamps.items():
            if stamp(path) != before:
                raise SourceError(f"{path}: the file changed while it was read. Run again once it is complete.")
        index.remember({path: (stamps[path], digest) for path, digest in digests.items()})


@contextmanager
def _hashing(index: DigestIndex, stamps: Mapping[Path, Stamp]) -> Iterator[dict[Path, str]]:
    """Fill the mapping that is given to the block with each file's digest; complete only after the block.

    The largest file goes first, since it is parsed last.
    """
    digests: dict[Path, str] = {}
    stopped = threading.Event()

    def fill() -> None:
        for path in sorted(stamps, key=lambda path: stamps[path], reverse=True):
            if not stopped.is_set():
                digests[path] = index.find(path) or sha256_of(path)

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="sha256") as pool:
        filling = pool.submit(fill)
        try:
            yield digests
        except BaseException:
            stopped.set()
            raise
        filling.result()


def _identity(files: Sequence[InputFile], digests: Mapping[Path, str]) -> Identity:
    return {"kind": "files", "sha256": {file.table.name: digests[file.path] for file in files}}
