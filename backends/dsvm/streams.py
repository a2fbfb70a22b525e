"""Processes in a container whose stdin we write and whose output we read: docker-py has the calls, not the pipes.

The engine sends stdout and stderr as frames of eight bytes of header and a payload; what we write goes as it is.
"""

from __future__ import annotations

import queue
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

from backends.dsvm.engine import Engine

_HEADER = struct.Struct(">BxxxL")
_LINES_KEPT = 30
_SECONDS_BETWEEN_LOOKS = 0.2

Item = TypeVar("Item")


class Pipe:
    """Stdin and stdout of a process in a container."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw  # keeps the response alive, and the socket with it
        self._socket: socket.socket = getattr(raw, "_sock", raw)
        self._socket.settimeout(None)
        self._frame = b""
        self._bytes = self._payload()

    def write(self, content: bytes) -> None:
        """Write to the process's stdin."""
        self._socket.sendall(content)

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes of its output, and none at the end."""
        if not self._frame:
            self._frame = next(self._bytes, b"")
        part, self._frame = self._frame[:size], self._frame[size:]
        return part

    def close(self) -> None:
        """Hang up; a read that waits ends."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._raw.close()

    def _payload(self) -> Iterator[bytes]:
        while header := self._exactly(_HEADER.size):
            _, length = _HEADER.unpack(header)
            while length:
                part = self._socket.recv(min(length, 65536))
                if not part:
                    return
                length -= len(part)
                yield part

    def _exactly(self, size: int) -> bytes:
        got = b""
        while len(got) < size:
            part = self._socket.recv(size - len(got))
            if not part:
                return b""
            got += part
        return got


def start_process(
    engine: Engine, container: str, command: list[str], environment: Mapping[str, str]
) -> tuple[str, Pipe]:
    """Start a process in a running container; return its id and its pipe."""
    api = engine.client.api
    made = api.exec_create(container, command, stdin=True, environment=dict(environment))
    return made["Id"], Pipe(api.exec_start(made["Id"], socket=True))


def execute(
    engine: Engine,
    container: str,
    command: list[str],
    environment: Mapping[str, str],
    stdin: bytes = b"",
    show: Callable[[str], None] | None = None,
) -> tuple[int, list[str]]:
    """Run a process to its end.

    Parameters
    ----------
    environment : mapping
        Of this process alone; the container does not keep it.
    show : callable, optional
        Given each line of its output as it comes.

    Returns
    -------
    (int, list of str)
        Its exit code and the last lines of its output.
    """
    process, pipe = start_process(engine, container, command, environment)
    if stdin:
        threading.Thread(target=pipe.write, args=(stdin,), daemon=True).start()
    last: deque[str] = deque(maxlen=_LINES_KEPT)
    for line in attentive(_lines(pipe.read)):
        last.append(line)
        if show is not None:
            show(line)
    pipe.close()
    code = engine.client.api.exec_inspect(process)["ExitCode"]
    return (1 if code is None else code), list(last)


def _lines(read: Callable[[int], bytes]) -> Iterator[str]:
    rest = b""
    while chunk := read(65536):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line.decode(errors="replace").rstrip() for line in whole)
    if rest:
        yield rest.decode(errors="replace").rstrip()


def attentive(blocking: Iterable[Item]) -> Iterator[Item]:
    """Yield what `blocking` yields, so that Ctrl-C is noticed while nothing comes.

    The system may give a signal to any thread, and Python answers it in the main one, which a read that blocks keeps
    from running; so another thread reads, and this one looks up now and then.
    """
    items: queue.Queue[tuple[bool, Any]] = queue.Queue(maxsize=256)

    def read() -> None:
        try:
            for item in blocking:
                items.put((True, item))
            items.put((False, None))
        except Exception as error:
            items.put((False, error))

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            more, item = items.get(timeout=_SECONDS_BETWEEN_LOOKS)
        except queue.Empty:
            continue
        if more:
            yield item
        elif item is not None:
            raise item
        else:
            return


def timestamp(text: str) -> float:
    """Return the seconds since 1970 that the engine's ``2026-01-02T03:04:05.123456789Z`` means."""
    return datetime.fromisoformat(text).timestamp()
