"""The job's output on its way into the container's log: secrets masked, a progress bar usable.

Docker's log is made of lines, and holds a line back until it ends; a progress bar never does. So where the log is shown
on a terminal, the job gets a terminal of its own, and what it writes without a line's end is ended by ``MARK``, which
the reader takes out again.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Mapping

from .mask import Mask

MARK = b"\0\n"


class Output:
    """Stands between the job and stdout.

    Parameters
    ----------
    words : mapping
        See Mask.
    terminal : (rows, columns), optional
        Of the terminal at the log's other end.
    """

    def __init__(self, words: Mapping[str, str], terminal: tuple[int, int] | None = None) -> None:
        self._mask = Mask(words)
        self._terminal = terminal
        self._source = -1

    def start(self, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        """Start the job in a process group of its own, its output on the way to here."""
        self._source, sink = _open_terminal(*self._terminal) if self._terminal else os.pipe()
        try:
            return subprocess.Popen(command, stdout=sink, stderr=sink, env=environment, start_new_session=True)
        finally:
            os.close(sink)

    def copy(self) -> None:
        """Copy until the job, and whatever it has left running, has closed its output."""
        while chunk := self._read():
            self._write(self._mask.through(chunk))
        self._write(self._mask.rest())

    def _read(self) -> bytes:
        try:
            return os.read(self._source, 65536)
        except OSError:  # how a terminal says that its other end is closed
            return b""

    def _write(self, chunk: bytes) -> None:
        if chunk and self._terminal and not chunk.endswith(b"\n"):
            chunk += MARK
        while chunk:
            chunk = chunk[os.write(1, chunk) :]


def _open_terminal(rows: int, columns: int) -> tuple[int, int]:
    if sys.platform == "win32":
        raise NotImplementedError("only the user's side may be Windows")
    import fcntl
    import pty
    import termios

    source, sink = pty.openpty()
    fcntl.ioctl(sink, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    return source, sink
