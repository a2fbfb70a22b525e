"""SHA-256 of input files, remembered so that an unchanged file is read once.

A file counts as unchanged while its size, modification time and change time all stand; the change time cannot be set
back, so a file restored with its old date is still noticed.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
from pathlib import Path

from cache import Cache, as_umask_grants, writing_to

Stamp = tuple[int, int, int]
_ANOTHER_USERS = (errno.EACCES, errno.EPERM, errno.EROFS)
_PARTS = 4  # of an entry: the stamp and the digest


def stamp(file: Path) -> Stamp:
    """Size in bytes, modification and change time in ns."""
    status = file.stat()
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def sha256_of(file: Path) -> str:
    """Hash the file, without the interpreter lock."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


class DigestIndex:
    """The digests of files seen before, in one JSON file of the cache.

    Two processes that write it at once may lose each other's additions, which costs one more hash; so does a file that
    cannot be read, or written because it is another user's.
    """

    def __init__(self, cache: Cache) -> None:
        self._file = cache.root / "digests.json"
        self._known = _read(self._file)

    def find(self, file: Path) -> str | None:
        """Return the digest of `file` if it is unchanged since it was remembered."""
        *known, digest = self._known.get(str(file.resolve()), [None])
        return str(digest) if tuple(known) == stamp(file) else None

    def has_size_of(self, file: Path) -> bool:
        """Whether any remembered file is as large as `file`, and so may be the same."""
        return any(entry[0] == file.stat().st_size for entry in self._known.values())

    def remember(self, digests: dict[Path, tuple[Stamp, str]]) -> None:
        """Add digests, each with the stamp that its file had when it was hashed."""
        self._known |= {str(file.resolve()): [*seen, digest] for file, (seen, digest) in digests.items()}
        with writing_to(self._file.parent):
            try:
                self._write()
            except OSError as error:
                if error.errno not in _ANOTHER_USERS:
                    raise

    def _write(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._file.parent, prefix=".digests-")
        scratch = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                json.dump(self._known, out)
            as_umask_grants(scratch)
            scratch.replace(self._file)
        finally:
            scratch.unlink(missing_ok=True)


def _read(file: Path) -> dict[str, list[int | str]]:
    try:
        known = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    except (OSError, ValueError, RecursionError):
        return {}
    entries = known.items() if isinstance(known, dict) else ()
    return {name: entry for name, entry in entries if isinstance(entry, list) and len(entry) == _PARTS}
