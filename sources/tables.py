"""The ingested tables on disk: seven Parquet files and a manifest in one folder of the cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict

MANIFEST = "manifest.json"


class TableRecord(BaseModel):
    """One table and the input that it was made from.

    Attributes
    ----------
    rows : int
        Duplicates included.
    input : str
        The file or blob, or the Parquet table itself where there is no other (synthetic data).
    sha256 : str
        Of the input's bytes, as ``sha256sum`` prints it.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    rows: int
    input: str
    sha256: str


class Manifest(BaseModel):
    """What was ingested, from where.

    Attributes
    ----------
    source : str
        As the person typed it.
    identity : mapping
        Which data it is; see ``sources.base.Source``.
    fingerprint : str
        Of the identity and the code of this room.
    tables : mapping of str to TableRecord
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    source: str
    identity: Mapping[str, Any]
    fingerprint: str
    tables: Mapping[str, TableRecord]

    @property
    def rows(self) -> dict[str, int]:
        """Rows per table."""
        return {name: record.rows for name, record in self.tables.items()}


@dataclass(frozen=True)
class Tables:
    """Ingested tables in the cache.

    Attributes
    ----------
    path : Path
        The folder: ``NAME.parquet`` for each table, and ``manifest.json``.
    reused : bool
        Whether they were there already.
    """

    path: Path
    reused: bool

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest beside the tables."""
        return Manifest.model_validate_json((self.path / MANIFEST).read_text(encoding="utf-8"))

    @property
    def fingerprint(self) -> str:
        """Stands for the data and the code that read it."""
        return self.manifest.fingerprint

    def scan(self, name: str) -> pl.LazyFrame:
        """Return the table called `name`, lazily; columns and types are those of ``sources.schema.TABLES[name]``."""
        return pl.scan_parquet(self.path / f"{name}.parquet")
