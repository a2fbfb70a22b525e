"""The source: which blobs there are, which data they are, and their way through the cache into tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from azure.storage.blob import BlobProperties

from cache import Cache
from errors import SourceError
from sources.azure_blob.account import Account, open_container
from sources.azure_blob.address import Address
from sources.azure_blob.download import RANGE_BYTES, Blob, download
from sources.azure_blob.refusals import explained
from sources.base import Identity, Written
from sources.files import InputFile, names_of, write_tables
from sources.progress import Progress
from sources.schema import TABLES, Table
from sources.tables import TableRecord


@dataclass(frozen=True)
class BlobSource:
    """Seven blobs in one folder of a container.

    One request lists them, with their ETags; as long as those stand, nothing is downloaded again, not even to parse
    the tables anew.

    Attributes
    ----------
    address : Address
    range_bytes : int
        Bytes asked for in one request.
    """

    address: Address
    range_bytes: int = RANGE_BYTES

    @property
    def name(self) -> str:
        """What a person calls it."""
        return str(self.address)

    def identity(self, cache: Cache) -> Identity:
        """Return the ETag of each blob."""
        return {"kind": "blobs", "etags": {blob.url: blob.etag for blob in self._blobs.values()}}

    def write_tables(self, folder: Path, cache: Cache, progress: Progress) -> Written:
        """Download what the cache lacks, then parse it into `folder`."""
        blobs = self._blobs
        with explained(self.address, self._account.opened_with):
            downloads = download(self._account.container, list(blobs.values()), cache, progress, self.range_bytes)
        local = dict(zip(blobs, downloads, strict=True))
        rows = write_tables(
            [InputFile(TABLES[name], local[name].path, blob.url) for name, blob in blobs.items()], folder, progress
        )
        records = {
            name: TableRecord(rows=rows[name], input=PurePosixPath(blob.name).name, sha256=local[name].sha256)
            for name, blob in blobs.items()
        }
        return Written(self.identity(cache), records)

    @cached_property
    def _account(self) -> Account:
        return open_container(self.address)

    @cached_property
    def _blobs(self) -> Mapping[str, Blob]:
        """The blob of each table, as listed once."""
        prefix = self.address.prefix
        with explained(self.address, self._account.opened_with):
            listing = self._account.container.walk_blobs(name_starts_with=prefix, delimiter="/", retry_total=1)
            found = {item.name: item for item in listing if isinstance(item, BlobProperties)}
        return {table.name: self._blob(table, found) for table in TABLES.values()}

    def _blob(self, table: Table, found: Mapping[str, BlobProperties]) -> Blob:
        for name in names_of(table):
            if properties := found.get(self.address.prefix + name):
                return _blob(self.address, properties)
        raise SourceError(
            f"{self.address}: {' or '.join(names_of(table))} is missing. "
            f"Upload the seven files there: {', '.join(TABLES)}, each as .csv or .csv.zip."
        )


def _blob(address: Address, properties: BlobProperties) -> Blob:
    md5 = properties.content_settings.content_md5
    return Blob(
        url=f"{address}{'/' if address.path else ''}{properties.name.removeprefix(address.prefix)}",
        name=properties.name,
        etag='"' + properties.etag.strip('"') + '"',
        size=properties.size,
        md5=bytes(md5).hex() if md5 else None,
    )
