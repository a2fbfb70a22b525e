"""What a source of the seven tables is.

A source writes typed tables itself rather than handing over CSV files, because one of them (the synthetic generator)
has no files, and the others gain half their speed from never holding a table in memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cache import Cache
from sources.progress import Progress
from sources.tables import TableRecord

Identity = Mapping[str, Any]


@dataclass(frozen=True)
class Written:
    """What ``write_tables`` did.

    Attributes
    ----------
    identity : mapping
        As ``Source.identity``, but always known by now.
    records : mapping of str to TableRecord
        One for each of the seven tables.
    """

    identity: Identity
    records: Mapping[str, TableRecord]


class Source(Protocol):
    """Somewhere the seven tables come from.

    Identity
        ``identity`` says, in terms of JSON, which data this is: it changes whenever any table would. It downloads and
        parses nothing. It returns None where only reading all the data would tell and nothing suggests that the answer
        is already in the cache; then ``write_tables`` finds it out on the way.
    Tables
        ``write_tables`` writes ``NAME.parquet`` for each table of ``sources.schema``, with exactly its columns and
        types, into an existing empty folder, and leaves nothing else there. It may keep whatever helps the next call
        (downloads, digests) under the cache's root. Rows keep their order; duplicates stay.
    Errors
        Both raise SourceError with the whole sentence if the data cannot be had or is not what the schema says, and
        CacheError where the disk refuses.
    """

    @property
    def name(self) -> str:
        """What a person calls it: as they typed it, without secrets."""

    def identity(self, cache: Cache) -> Identity | None:
        """Return which data this is, or None where that is not known yet."""

    def write_tables(self, folder: Path, cache: Cache, progress: Progress) -> Written:
        """Write the seven tables into `folder`."""
