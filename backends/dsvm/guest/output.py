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
from collections.abc import Iterable, Mapping

MARK = b"\0\n"
_STARS = "***"
_LEAST_SECRET = 4  # masking shorter values would garble the log and hide nothing


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


class Mask:
    """Replaces words in a stream that comes in pieces.

    Parameters
    ----------
    words : mapping
        What is shown in a word's place.
    """

    def __init__(self, words: Mapping[str, str]) -> None:
        longest_first = sorted(words.items(), key=lambda pair: -len(pair[0]))
        self._words = {word.encode(): shown.encode() for word, shown in longest_first}
        self._held = b""

    def through(self, chunk: bytes) -> bytes:
        """Return what may be shown now; the beginning of what may become a word is held back."""
        text = self._held + chunk
        for word, shown in self._words.items():
            text = text.replace(word, shown)
        keep = max((_overlap(text, word) for word in self._words), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def rest(self) -> bytes:
        """Return what is still held back at the end."""
        held, self._held = self._held, b""
        return held


def stars(secrets: Iterable[str]) -> dict[str, str]:
    """Return what is shown in place of secrets."""
    return dict.fromkeys((secret for secret in secrets if len(secret) >= _LEAST_SECRET), _STARS)


def _overlap(text: bytes, word: bytes) -> int:
    """Return the length of the longest end of `text` that `word` begins with."""
    longest = min(len(text), len(word) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(word[:size])), 0)
