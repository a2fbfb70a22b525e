"""Many byte streams over one pipe that may break and be replaced, without losing or repeating a byte.

The job's requests to the tracking store travel through SSH. If a lost connection broke them, MLflow would send them
again, and a request that had been answered but not heard would count twice: a second child run, a metric logged double.
So each side keeps what the other has not acknowledged, and a new pipe begins by saying how much has arrived. We do not
use ``ssh -R``: a port on the VM's loopback is open to everyone there, and it dies with its connection.
"""

from __future__ import annotations

import os
import queue
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable

Read = Callable[[int], bytes]
Write = Callable[[bytes], None]

_HEADER = struct.Struct("!BII")  # kind, stream, length of what follows
_HELLO = struct.Struct("!16sQ")  # session, frames that have arrived
_COUNT = struct.Struct("!Q")
HELLO, ACK, OPEN, DATA, END, RESET = range(6)
_CHUNK = 64 * 1024
_WINDOW = 4 * 2**20  # bytes that may be under way; a fast sender waits
_FRAMES_AN_ACK = 16


class PipeEndedError(Exception):
    """The pipe has ended in the middle of something."""


class Link:
    """One end of the link.

    Parameters
    ----------
    dial : callable, optional
        Connects a stream that the other side has opened, and may take its time; OSError refuses it.
    """

    def __init__(self, dial: Callable[[], socket.socket] | None = None) -> None:
        self._dial = dial
        self._session = os.urandom(16)
        self._peer: bytes | None = None
        self._changed = threading.Condition()
        self._one_pipe = threading.Lock()
        self._unacknowledged: deque[bytes] = deque()
        self._bytes_under_way = 0
        self._written = 0  # of the unacknowledged, how many have gone into the present pipe
        self._acknowledged = 0
        self._received = 0
        self._ack_is_due = False
        self._pipe = 0
        self._streams: dict[int, Stream] = {}
        self._last_stream = 0

    def carry(self, connection: socket.socket) -> None:
        """Open a stream for a local connection; its other end is what the other side's `dial` returns."""
        with self._changed:
            self._last_stream += 1
            number = self._last_stream
            stream = self._streams[number] = Stream(self, number, lambda: connection)
        self.send(OPEN, number)
        stream.start()

    def attach(self, read: Read, write: Write) -> None:
        """Use this pipe until it breaks. The pipe before it must have been closed: its last frame is waited for.

        Parameters
        ----------
        read : callable
            Returns up to that many bytes, and none at the end.
        write : callable
            Writes them all, or raises OSError.
        """
        with self._one_pipe:
            self._use(read, write)

    def _use(self, read: Read, write: Write) -> None:
        with self._changed:
            self._pipe += 1
            pipe = self._pipe
            hello = _HELLO.pack(self._session, self._received)
        try:
            write(_frame(HELLO, 0, hello))
            kind, _, payload = _read_frame(read)
            if kind != HELLO:
                raise PipeEndedError("no greeting")
            self._resume(*_HELLO.unpack(payload))
            threading.Thread(target=self._write_to, args=(pipe, write), daemon=True).start()
            while True:
                self._take(*_read_frame(read))
        except (PipeEndedError, OSError, ValueError, struct.error):
            pass
        finally:
            with self._changed:
                self._pipe += 1  # ends the writer
                self._changed.notify_all()

    def send(self, kind: int, stream: int, payload: bytes = b"") -> None:
        """Queue a frame; waits while too much is under way."""
        frame = _frame(kind, stream, payload)
        with self._changed:
            self._changed.wait_for(lambda: self._bytes_under_way < _WINDOW or stream not in self._streams)
            self._unacknowledged.append(frame)
            self._bytes_under_way += len(frame)
            self._changed.notify_all()

    def forget(self, stream: int) -> None:
        """Drop a stream that has ended both ways."""
        with self._changed:
            self._streams.pop(stream, None)
            self._changed.notify_all()

    def _resume(self, session: bytes, arrived: int) -> None:
        with self._changed:
            known = self._peer
            self._peer = session
            if known is not None and session != known:  # a new process over there: it knows nothing of our streams
                self._unacknowledged.clear()
                self._bytes_under_way = self._acknowledged = self._received = 0
                streams, self._streams = self._streams, {}
                for stream in streams.values():
                    stream.deliver(RESET)
            elif known is not None:
                self._trim(arrived)
            self._written = 0
            self._changed.notify_all()

    def _trim(self, arrived: int) -> None:
        while self._acknowledged < arrived and self._unacknowledged:
            self._bytes_under_way -= len(self._unacknowledged.popleft())
            self._acknowledged += 1
            self._written = max(0, self._written - 1)

    def _write_to(self, pipe: int, write: Write) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: pipe != self._pipe or self._ack_is_due or self._written < len(self._unacknowledged)
                )
                if pipe != self._pipe:
                    return
                acknowledge, self._ack_is_due = self._ack_is_due, False
                frames = [_frame(ACK, 0, _COUNT.pack(self._received))] if acknowledge else []
                if self._written < len(self._unacknowledged):
                    frames.append(self._unacknowledged[self._written])
                    self._written += 1
            try:
                write(b"".join(frames))
            except (OSError, ValueError):
                return  # the reader notices too, and ends the pipe

    def _take(self, kind: int, number: int, payload: bytes) -> None:
        if kind == ACK:
            with self._changed:
                self._trim(*_COUNT.unpack(payload))
                self._changed.notify_all()
            return
        with self._changed:
            self._received += 1
            self._ack_is_due |= self._received % _FRAMES_AN_ACK == 0 or kind != DATA
            self._changed.notify_all()
            if kind == OPEN and self._dial is not None:
                stream = self._streams[number] = Stream(self, number, self._dial)
                stream.start()
                return
            found = self._streams.get(number)
        if found is not None:
            found.deliver(kind, payload)


class Stream:
    """One connection: a thread for each direction, so that a slow one holds up no other."""

    def __init__(self, link: Link, number: int, dial: Callable[[], socket.socket]) -> None:
        self._link = link
        self._number = number
        self._dial = dial
        self._inbox: queue.Queue[tuple[int, bytes]] = queue.Queue()
        self._open_ways = 2
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin to carry."""
        threading.Thread(target=self._run, daemon=True).start()

    def deliver(self, kind: int, payload: bytes = b"") -> None:
        """Take what has come from the other side."""
        self._inbox.put((kind, payload))

    def _run(self) -> None:
        try:
            connection = self._dial()
        except OSError:
            self._link.send(RESET, self._number)
            self._link.forget(self._number)
            return
        threading.Thread(target=self._outward, args=(connection,), daemon=True).start()
        self._inward(connection)

    def _outward(self, connection: socket.socket) -> None:
        try:
            while chunk := connection.recv(_CHUNK):
                self._link.send(DATA, self._number, chunk)
            self._link.send(END, self._number)
        except OSError:
            self._link.send(RESET, self._number)
            self.deliver(RESET)
        self._one_way_less(connection)

    def _inward(self, connection: socket.socket) -> None:
        try:
            while (received := self._inbox.get())[0] == DATA:
                connection.sendall(received[1])
            connection.shutdown(socket.SHUT_WR if received[0] == END else socket.SHUT_RDWR)
        except OSError:
            self._link.send(RESET, self._number)
        self._one_way_less(connection)

    def _one_way_less(self, connection: socket.socket) -> None:
        with self._lock:
            self._open_ways -= 1
            if self._open_ways:
                return
        connection.close()
        self._link.forget(self._number)


def _frame(kind: int, stream: int, payload: bytes) -> bytes:
    return _HEADER.pack(kind, stream, len(payload)) + payload


def _read_frame(read: Read) -> tuple[int, int, bytes]:
    kind, stream, length = _HEADER.unpack(read_exactly(read, _HEADER.size))
    return kind, stream, read_exactly(read, length)


def read_exactly(read: Read, size: int) -> bytes:
    """Return exactly `size` bytes.

    Raises
    ------
    PipeEndedError
        The pipe has ended before.
    """
    parts = bytearray()
    while len(parts) < size:
        part = read(size - len(parts))
        if not part:
            raise PipeEndedError
        parts += part
    return bytes(parts)
