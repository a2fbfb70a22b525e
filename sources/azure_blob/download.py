"""Download blobs in ranges, several at once, so that an interruption costs no more than the ranges under way.

Each range is a file of its own in the cache until all are there; then they are joined, checked and published. A range
appears by a rename, in a folder named by the blob's ETag, so whoever comes next, after a kill or at the same time, can
trust what lies there without a lock or a log. Each request carries If-Match, so ranges of two versions are never mixed.
The SDK's own parallel ``readinto`` is not used, because what it has fetched is lost with the process.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from azure.core import MatchConditions
from azure.storage.blob import ContainerClient

from cache import Cache, as_umask_grants, fingerprint, writing_to
from errors import SourceError
from sources.progress import Advance, Progress

PUBLISHED = "blobs"
UNFINISHED = "unfinished-blobs"
RANGE_BYTES = 8 * 2**20
_AT_ONCE = 8
_DIGESTS = "digests.json"


@dataclass(frozen=True)
class Blob:
    """One version of one blob.

    Attributes
    ----------
    url : str
        Without a signature.
    name : str
        In its container.
    etag : str
        Changes with every write to the blob.
    size : int
        Bytes.
    md5 : str or None
        Hex digits, where whoever uploaded the blob recorded it.
    """

    url: str
    name: str
    etag: str
    size: int
    md5: str | None


@dataclass(frozen=True)
class Downloaded:
    """A blob on this machine, checked.

    Attributes
    ----------
    path : Path
    sha256 : str
        Hex digits.
    """

    path: Path
    sha256: str


def download(
    container: ContainerClient, blobs: Sequence[Blob], cache: Cache, progress: Progress, range_bytes: int = RANGE_BYTES
) -> list[Downloaded]:
    """Bring `blobs` into the cache, fetching only what is not there yet.

    Parameters
    ----------
    container : ContainerClient
    blobs : sequence of Blob
    cache : Cache
        Whole blobs go under its kind ``blobs``.
    progress : Progress
        Counts the bytes still to come.
    range_bytes : int
        Bytes asked for in one request.

    Returns
    -------
    list of Downloaded
        In the order of `blobs`.

    Raises
    ------
    SourceError
        A blob's bytes do not have the size or MD5 that the account states.
    azure.core.exceptions.AzureError
        The account refused, or the blob changed since it was listed.
    """
    while absent := [blob for blob in blobs if _find(blob, cache) is None]:
        try:
            _complete(container, absent, cache, progress, range_bytes)
        except FileNotFoundError:
            # Another process has published one of these blobs and removed its ranges, or found a newer version.
            if not any(_find(blob, cache) for blob in absent):
                raise SourceError(
                    f"{absent[0].url}: another process is downloading a newer version. Run again once it has ended."
                ) from None
    return [_downloaded(blob, cache) for blob in blobs]


def _complete(
    container: ContainerClient, blobs: Sequence[Blob], cache: Cache, progress: Progress, range_bytes: int
) -> None:
    with writing_to(cache.root):
        unfinished = [_Unfinished.of(blob, cache, range_bytes) for blob in blobs]
        _fetch_ranges(container, unfinished, progress)
        for part in unfinished:
            _publish(part, cache)


@dataclass(frozen=True)
class _Unfinished:
    """The ranges of one version of a blob, each a file named by its first byte."""

    blob: Blob
    folder: Path
    spans: Sequence[range]

    @classmethod
    def of(cls, blob: Blob, cache: Cache, range_bytes: int) -> _Unfinished:
        """Continue an earlier download of this version; drop those of others, which can no longer be completed."""
        versions = cache.path(UNFINISHED, fingerprint(url=blob.url))
        folder = versions / fingerprint(etag=blob.etag, range_bytes=range_bytes)
        folder.mkdir(parents=True, exist_ok=True)
        for other in versions.iterdir():
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
        starts = range(0, blob.size, range_bytes)
        return cls(blob, folder, [range(start, min(start + range_bytes, blob.size)) for start in starts])

    def file_of(self, span: range) -> Path:
        return self.folder / str(span.start)

    def spans_to_come(self) -> list[range]:
        return [span for span in self.spans if not self._has(span)]

    def _has(self, span: range) -> bool:
        file = self.file_of(span)
        return file.exists() and file.stat().st_size == len(span)

    def store(self, span: range, content: bytes) -> None:
        handle, scratch = tempfile.mkstemp(dir=self.folder)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        as_umask_grants(Path(scratch))
        os.replace(scratch, self.file_of(span))

    def discard(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def _fetch_ranges(container: ContainerClient, unfinished: Sequence[_Unfinished], progress: Progress) -> None:
    """Fetch what is still to come of all the blobs, the first failure stopping the rest."""
    to_come = [(part, span) for part in unfinished for span in part.spans_to_come()]
    if not to_come:
        return
    total = sum(len(span) for _, span in to_come)
    with progress.step("Downloading", total, "bytes") as advance, ThreadPoolExecutor(_AT_ONCE) as pool:
        tasks = [pool.submit(_fetch_range, container, part, span, advance) for part, span in to_come]
        try:
            for task in as_completed(tasks):
                task.result()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _fetch_range(container: ContainerClient, part: _Unfinished, span: range, advance: Advance) -> None:
    stream = container.download_blob(
        part.blob.name,
        offset=span.start,
        length=len(span),
        etag=part.blob.etag,
        match_condition=MatchConditions.IfNotModified,
    )
    part.store(span, stream.readall())
    advance(len(span))


def _publish(part: _Unfinished, cache: Cache) -> None:
    with cache.publish(PUBLISHED, _key(part.blob)) as folder:
        sha256 = _join(part, folder / _file_name(part.blob))
        (folder / _DIGESTS).write_text(json.dumps({"sha256": sha256}))
    part.discard()


def _join(part: _Unfinished, whole: Path) -> str:
    """Write the ranges one after the other and return the SHA-256 of the whole."""
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with whole.open("wb") as out:
        for span in part.spans:
            content = part.file_of(span).read_bytes()
            sha256.update(content)
            md5.update(content)
            out.write(content)
    if whole.stat().st_size != part.blob.size or part.blob.md5 not in (None, md5.hexdigest()):
        part.discard()
        raise SourceError(
            f"{part.blob.url}: {whole.stat().st_size:,} bytes with MD5 {md5.hexdigest()} were downloaded, but the "
            f"account states {part.blob.size:,} bytes with MD5 {part.blob.md5 or 'unknown'}. "
            "Run again; if it stays so, upload the file anew."
        )
    return sha256.hexdigest()


def _key(blob: Blob) -> str:
    return fingerprint(url=blob.url, etag=blob.etag)


def _file_name(blob: Blob) -> str:
    return PurePosixPath(blob.name).name


def _find(blob: Blob, cache: Cache) -> Path | None:
    return cache.find(PUBLISHED, _key(blob))


def _downloaded(blob: Blob, cache: Cache) -> Downloaded:
    folder = cache.path(PUBLISHED, _key(blob))
    return Downloaded(folder / _file_name(blob), json.loads((folder / _DIGESTS).read_text())["sha256"])
