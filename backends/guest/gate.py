"""The door through which the job reaches the user's tracking store: a port on loopback, for this user's processes only.

In a container with a network of its own nobody else can knock. With the host's network every user of the VM can, so the
kernel's table of connections is asked whose the other end is; nothing in HTTP would have to be read or changed.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from .link import Link

_ROUTE = "/tmp/.gridfold-link"
_PAUSE = 0.1


class Gate:
    """Listens for the job on ``port``, and for the user's side at a socket file that ``pipe`` connects to."""

    def __init__(self) -> None:
        self._link = Link()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self._back = _unix_socket()
        Path(_ROUTE).unlink(missing_ok=True)
        before = os.umask(0o177)
        self._back.bind(_ROUTE)
        os.umask(before)
        self._back.listen()

    def open(self) -> None:
        """Begin to let connections through."""
        threading.Thread(target=self._let_in, daemon=True).start()
        threading.Thread(target=self._take_pipes, daemon=True).start()

    def _let_in(self) -> None:
        if sys.platform == "win32":
            raise NotImplementedError("only the user's side may be Windows")
        for connection in _comers(self._door):
            if owner(connection) == os.getuid():
                self._link.carry(connection)
            else:
                connection.close()

    def _take_pipes(self) -> None:
        before: socket.socket | None = None
        for pipe in _comers(self._back):
            if before is not None:
                _hang_up(before)  # a pipe whose other end is gone may look alive for long
            before = pipe
            threading.Thread(target=self._link.attach, args=(pipe.recv, pipe.sendall), daemon=True).start()


def pipe() -> None:
    """Join stdin and stdout to the gate in this container; ends when either does."""
    connection = _unix_socket()
    connection.connect(_ROUTE)
    threading.Thread(target=_pour_in, args=(connection,), daemon=True).start()
    while chunk := connection.recv(65536):
        _write_all(1, chunk)
    os._exit(0)  # the other thread may be stuck in a read of stdin


def _unix_socket() -> socket.socket:
    if sys.platform == "win32":
        raise NotImplementedError("only the user's side may be Windows")
    return socket.socket(socket.AF_UNIX)


def _comers(door: socket.socket) -> Iterator[socket.socket]:
    """Yield who comes, until the door is closed."""
    while door.fileno() != -1:
        try:
            comer, _ = door.accept()
        except OSError:  # this one is gone again, or the process has no descriptor free: neither is so for long
            time.sleep(_PAUSE)
            continue
        yield comer


def owner(connection: socket.socket, tables: tuple[str, ...] = ("/proc/net/tcp",)) -> int | None:
    """Return the user id of the process at the other end of a loopback connection, None where it cannot be told."""
    try:
        wanted = (_hex(connection.getpeername()), _hex(connection.getsockname()))
        return _owner_in(tables, wanted)
    except OSError:  # it has hung up before it was let in
        return None


def _owner_in(tables: tuple[str, ...], wanted: tuple[str, str]) -> int | None:
    for table in tables:
        for row in Path(table).read_text(encoding="ascii").splitlines()[1:]:
            fields = row.split()
            if (fields[1], fields[2]) == wanted:
                return int(fields[7])
    return None


def _hex(address: tuple[str, int]) -> str:
    return f"{int.from_bytes(socket.inet_aton(address[0]), 'little'):08X}:{address[1]:04X}"


def _pour_in(connection: socket.socket) -> None:
    while chunk := os.read(0, 65536):
        connection.sendall(chunk)
    os._exit(0)


def _write_all(descriptor: int, chunk: bytes) -> None:
    while chunk:
        chunk = chunk[os.write(descriptor, chunk) :]


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
