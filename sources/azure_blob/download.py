"""Download blobs in ranges, several at once, so that an interruption costs no more than the ranges under way.

A blob's bytes go into a sparse file beside a log of the ranges that are complete, both in the cache; the next process
continues from there. Each request carries If-Match, so that ranges of two versions are never mixed. A lock is not
needed: two processes that download one blob write the same bytes to the same places, and the second to finish finds it
published. The SDK's own parallel ``readinto`` is not used, because what it has fetched is lost with the process.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from azure.core import MatchConditions
from azure.storage.blob import ContainerClient

from cache import Cache, fingerprint, writing_to
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
    absent = [blob for blob in blobs if _find(blob, cache) is None]
    if absent:
        with writing_to(cache.root):
            unfinished = [_Unfinished.of(blob, cache, range_bytes) for blob in absent]
            _fetch_ranges(container, unfinished, progress)
            for part in unfinished:
                _publish(part, cache)
    return [_downloaded(blob, cache) for blob in blobs]


@dataclass(frozen=True)
class _Unfinished:
    """A blob on its way: `folder` holds ``data``, ``done`` (offsets of complete ranges) and ``version``."""

    blob: Blob
    folder: Path
    range_bytes: int

    @classmethod
    def of(cls, blob: Blob, cache: Cache, range_bytes: int) -> _Unfinished:
        """Continue an earlier download of this version, or begin."""
        part = cls(blob, cache.path(UNFINISHED, fingerprint(url=blob.url)), range_bytes)
        part.folder.mkdir(parents=True, exist_ok=True)
        version = json.dumps([blob.etag, blob.size, range_bytes])
        record = part.folder / "version"
        if not record.exists() or record.read_text() != version:
            part.discard()
            with part.data.open("wb") as file:
                file.truncate(blob.size)
            record.write_text(version)
        return part

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "done"

    def ranges_to_come(self) -> list[range]:
        done = {int(line) for line in self.log.read_text().split()} if self.log.exists() else set()
        starts = range(0, self.blob.size, self.range_bytes)
        return [range(start, min(start + self.range_bytes, self.blob.size)) for start in starts if start not in done]

    def store(self, span: range, content: bytes) -> None:
        """Write the bytes before the log says so; a line is short enough to be appended whole."""
        with self.data.open("r+b") as file:
            file.seek(span.start)
            file.write(content)
        with self.log.open("a") as log:
            log.write(f"{span.start}\n")

    def discard(self) -> None:
        for name in ("version", "done", "data"):
            (self.folder / name).unlink(missing_ok=True)


def _fetch_ranges(container: ContainerClient, unfinished: Sequence[_Unfinished], progress: Progress) -> None:
    """Fetch what is still to come of all the blobs, the first failure stopping the rest."""
    to_come = [(part, span) for part in unfinished for span in part.ranges_to_come()]
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
    """Check the whole blob and make it appear in the cache, unless another process has done so meanwhile."""
    try:
        sha256, md5 = _digests(part.data)
    except FileNotFoundError:
        if _find(part.blob, cache):
            return
        raise
    if part.data.stat().st_size != part.blob.size or part.blob.md5 not in (None, md5):
        part.discard()
        raise SourceError(
            f"{part.blob.url}: the {part.blob.size:,} bytes downloaded have MD5 {md5}, but the account states "
            f"{part.blob.md5}. Run again; if it stays so, upload the file anew."
        )
    with cache.publish(PUBLISHED, _key(part.blob)) as folder:
        os.replace(part.data, folder / _file_name(part.blob))
        (folder / _DIGESTS).write_text(json.dumps({"sha256": sha256}))
    part.discard()


def _digests(file: Path) -> tuple[str, str]:
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with file.open("rb") as content:
        for chunk in _chunks(partial(content.read, 2**20)):
            sha256.update(chunk)
            md5.update(chunk)
    return sha256.hexdigest(), md5.hexdigest()


def _chunks(read: Callable[[], bytes]) -> Iterator[bytes]:
    return iter(read, b"")


def _key(blob: Blob) -> str:
    return fingerprint(url=blob.url, etag=blob.etag)


def _file_name(blob: Blob) -> str:
    return PurePosixPath(blob.name).name


def _find(blob: Blob, cache: Cache) -> Path | None:
    return cache.find(PUBLISHED, _key(blob))


def _downloaded(blob: Blob, cache: Cache) -> Downloaded:
    folder = cache.path(PUBLISHED, _key(blob))
    return Downloaded(folder / _file_name(blob), json.loads((folder / _DIGESTS).read_text())["sha256"])
