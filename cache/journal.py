"""Results on disk as they come: a file of lines that any number of processes append to and none ever rewrites.

A line is ``CRC KIND ADDRESS CONTENT``, the checksum over all that follows it. What a power cut or a full disk has torn
has another checksum and is passed over; the next writer begins a line of its own. A line is with the operating system
when ``add`` returns, so a killed process loses nothing, and on the disk itself a moment later: one thread calls
fsync for all lines that have come meanwhile. We do not use SQLite: a commit for each result costs more than short
fits take, and a file that is only appended to can be read by eye, and by a process that has no right to write.

What has been *begun* stands in the file too. A session, which is one opening of the file, that vanished without a word
leaves its begun addresses as suspects: one of them may have taken the process down.
"""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
import zlib
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from cache.locks import HeldFile, is_held, locked, open_plain, take_over

CELL, LOST, BEGUN, LEFT = "cell", "lost", "begun", "left"
_SESSION = ".session-"
_LOOKS, _LOOK_SECONDS = 5, 0.01


class Journal:
    """Records by address, in a file and in memory.

    Parameters
    ----------
    file : Path
        Made on first use, with its folder.

    Attributes
    ----------
    n_spoiled : int
        Lines that were passed over.
    trouble : str
        Why the last lines could not be written or brought to the disk; empty where they could. They are kept, and
        written with the next.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.n_spoiled = 0
        self.trouble = ""
        self._records: dict[str, bytes] = {}
        self._lost: set[str] = set()
        self._begun: dict[str, set[str]] = {}
        self._read_up_to = 0
        self._session = uuid.uuid4().hex[:12]
        self._alive = self._hold_session()
        self._descriptor: int | None = None
        self._unwritten: list[bytes] = []
        self._writing = threading.RLock()
        self._disk = _Disk()
        self.refresh()

    def refresh(self) -> None:
        """Read what others have written since."""
        try:
            content = self._read()
        except OSError:  # none yet, or not ours to read
            return
        whole = content.rfind(b"\n") + 1  # another process may be writing the last line just now
        self._read_up_to += whole
        for line in content[:whole].split(b"\n"):
            self.n_spoiled += bool(line) and not self._take(line)

    def _read(self) -> bytes:
        """Return what is new in the file; Windows lets nobody read while another process writes a line."""
        for _ in range(_LOOKS):
            with suppress(PermissionError), os.fdopen(open_plain(self.file, os.O_RDONLY), "rb") as file:
                file.seek(self._read_up_to)
                return file.read()
            time.sleep(_LOOK_SECONDS)
        return b""

    def find(self, addresses: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return the records of those `addresses` that have one."""
        known = ((each, _decoded(self._records[each])) for each in addresses if each in self._records)
        return {address: record for address, record in known if record is not None}

    def __len__(self) -> int:
        return len(self._records)

    def add(self, records: Mapping[str, Mapping[str, Any]], lost: Collection[str] = ()) -> None:
        """Append `records`.

        Parameters
        ----------
        records : mapping of str to mapping
            By address, which is a word without blanks; values that JSON can say, floats kept to the last bit.
        lost : collection of str
            Those among the addresses whose record says that there is no result. ``find`` does not give them.
        """
        lines = []
        for address, record in records.items():
            kind = LOST if address in lost else CELL
            content = json.dumps(record, separators=(",", ":")).encode()
            self._settle(kind, address, content)
            lines.append(_line(kind, address, content))
        self._write(lines)

    def begin(self, addresses: Iterable[str]) -> None:
        """Note that work on `addresses` begins in this process."""
        self._write([_line(BEGUN, address, self._session.encode()) for address in addresses])

    def suspects(self) -> set[str]:
        """Return what may take a process down: begun by one that vanished and never ended, or lost when last tried."""
        found = set(self._lost)
        for session, addresses in self._begun.items():
            if session != self._session and not is_held(self._session_file(session)):
                found |= addresses
        return found - self._records.keys()

    def sync(self) -> None:
        """Return when all that was added is on the disk, or cannot be brought there."""
        with self._writing:
            self._write([])
        self._disk.wait()
        self.trouble = self.trouble or self._disk.trouble

    def close(self) -> None:
        """Say that this session ends in good order, and let go of the file."""
        if self._descriptor is not None or self._unwritten:
            self._write([_line(LEFT, self._session, b"{}")])
            self.sync()
        self._disk.close()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        if self._alive is not None:
            self._alive.release()
            self._alive = None

    def _take(self, line: bytes) -> bool:
        """Take in one line; False where it is not what was written."""
        checksum, _, rest = line.partition(b" ")
        parts = rest.split(b" ", 2)
        if checksum != b"%08x" % zlib.crc32(rest) or len(parts) != 3 or not rest.isascii():
            return False
        kind, address, content = parts[0].decode(), parts[1].decode(), parts[2]
        if kind == BEGUN:
            self._begun.setdefault(content.decode(), set()).add(address)
        elif kind == LEFT:
            self._begun.pop(address, None)
        else:
            self._settle(kind, address, content)
        return True

    def _settle(self, kind: str, address: str, content: bytes) -> None:
        """Take in the last word on an address."""
        for begun in self._begun.values():
            begun.discard(address)
        if kind == CELL:
            self._records[address] = content
            self._lost.discard(address)
        elif address not in self._records:
            self._lost.add(address)

    def _write(self, lines: list[bytes]) -> None:
        """Append lines with one call, on a line of their own whatever another process has left."""
        with self._writing:
            self._unwritten += lines
            if not self._unwritten:
                return
            try:
                descriptor = self._opened()
                with locked(descriptor):
                    _append(descriptor, b"".join(self._unwritten))
            except OSError as error:
                self.trouble = f"{self.file}: {os.strerror(error.errno) if error.errno else error}"
                return
            self._unwritten, self.trouble = [], ""
            self._disk.dirty(descriptor)

    def _opened(self) -> int:
        if self._descriptor is None:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = open_plain(self.file, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        return self._descriptor

    def _session_file(self, session: str) -> Path:
        return self.file.parent / f"{_SESSION}{session}"

    def _hold_session(self) -> HeldFile | None:
        with suppress(OSError):  # not ours to write: then nothing is begun in it either
            for path in list(self.file.parent.glob(f"{_SESSION}*")):
                with suppress(OSError):  # another user's, who will remove it
                    if (left := take_over(path)) is not None:
                        left.release()
            return HeldFile.take(self._session_file(self._session))
        return None


class _Disk:
    """Brings what was written to the disk itself, on a thread of its own, once for all that came meanwhile."""

    def __init__(self) -> None:
        self.trouble = ""
        self._descriptor: int | None = None
        self._written = self._synced = 0
        self._closed = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def dirty(self, descriptor: int) -> None:
        with self._changed:
            self._descriptor = descriptor
            self._written += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._sync_until_closed, name="journal-sync", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def wait(self) -> None:
        with self._changed:
            target = self._written
            self._changed.wait_for(lambda: self._synced >= target)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _sync_until_closed(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._synced < self._written)
                if self._synced == self._written:
                    return
                target, descriptor = self._written, self._descriptor
            try:
                assert descriptor is not None
                os.fsync(descriptor)
                self.trouble = ""
            except OSError as error:
                self.trouble = os.strerror(error.errno) if error.errno else str(error)
            with self._changed:
                self._synced = target
                self._changed.notify_all()


def _decoded(content: bytes) -> dict[str, Any] | None:
    """Read a record; None where somebody else than ``add`` has written it."""
    try:
        record = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _line(kind: str, address: str, content: bytes) -> bytes:
    rest = b"%s %s %s" % (kind.encode(), address.encode(), content)
    return b"%08x %s\n" % (zlib.crc32(rest), rest)


def _append(descriptor: int, content: bytes) -> None:
    """Write all of `content`; after a torn line, on a new one. What a full disk has cut short is a torn line."""
    if os.lseek(descriptor, 0, os.SEEK_END):
        os.lseek(descriptor, -1, os.SEEK_END)
        if os.read(descriptor, 1) != b"\n":
            content = b"\n" + content
    written = os.write(descriptor, content)
    while written < len(content):  # says why on the next try
        written += os.write(descriptor, content[written:])
