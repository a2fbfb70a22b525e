"""Bring the seven tables into the cache as typed Parquet, once.

The tables are written to a scratch folder and published by one rename, manifest included, so a half-finished ingest is
never taken for whole. The fingerprint need not be known before the work: for a folder it is the SHA-256 of every file,
and hashing beside parsing costs a tenth of hashing before it.
"""

from __future__ import annotations

from pathlib import Path

import sources
from cache import Cache, code_digest, fingerprint, scratch_folder, writing_to
from sources.base import Identity, Source
from sources.progress import Progress, to_terminal
from sources.tables import MANIFEST, Manifest, Tables

KIND = "tables"


def ingest(source: Source, cache: Cache, progress: Progress | None = None) -> Tables:
    """Return the source's tables in the cache, made now or found there.

    Parameters
    ----------
    source : Source
        See ``sources.source_from``.
    cache : Cache
        Tables go under its kind ``tables``.
    progress : Progress, optional
        By default bars on a terminal and plain lines elsewhere.

    Returns
    -------
    Tables
        ``reused`` tells whether nothing had to be read or downloaded.

    Raises
    ------
    SourceError
        The data cannot be had, or is not what the schema says.
    CacheError
        The disk is full or the cache cannot be written.
    """
    identity = source.identity(cache)
    if identity is not None and (found := cache.find(KIND, _fingerprint(identity))):
        return Tables(found, reused=True)
    with writing_to(cache.root):
        cache.root.mkdir(parents=True, exist_ok=True)
        with scratch_folder(cache.root, ".ingest-") as scratch:
            return _write(source, cache, progress or to_terminal(), scratch)


def _write(source: Source, cache: Cache, progress: Progress, scratch: Path) -> Tables:
    written = source.write_tables(scratch, cache, progress)
    name = _fingerprint(written.identity)
    manifest = Manifest(source=source.name, identity=written.identity, fingerprint=name, tables=written.records)
    with cache.publish(KIND, name) as folder:
        for file in scratch.iterdir():
            file.rename(folder / file.name)
        (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
    return Tables(cache.path(KIND, name), reused=False)


def _fingerprint(identity: Identity) -> str:
    return fingerprint(source=identity, code=code_digest(sources))
