"""The driver's log goes to the shared folder in pieces: no service streams what a driver in the cluster writes."""

from __future__ import annotations

import os
import re
import select
import sys
import threading
import time
from contextlib import suppress

from .folders import Blobs, Folder
from .mask import Mask, stars

_SECONDS_BETWEEN_LOOKS = 1.0
_LAST_TRIES = 5


class Log:
    """Copies what is written to stdout and stderr, by whatever language, to the shared folder in numbered pieces.

    Parameters
    ----------
    place, prefix
        Where the pieces go.
    secrets : list of str
        Are shown as stars.

    Attributes
    ----------
    last_line : str
        That was not empty, without colours.
    """

    def __init__(self, place: Folder | Blobs, prefix: str, secrets: list[str]) -> None:
        self._place = place
        self._prefix = prefix
        self._mask = Mask(stars(secrets))
        self._piece = b""  # that is being sent
        self._waiting = b""  # to be in the next
        self._number = 0
        self._ended = threading.Event()
        self.last_line = ""

    def __enter__(self) -> Log:
        self._own = sys.stdout, sys.stderr
        for stream in self._own:
            stream.flush()
        self._kept = os.dup(1), os.dup(2)
        self._source, sink = os.pipe()
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        os.close(sink)
        # A notebook's own streams do not write to the descriptors.
        sys.stdout, sys.stderr = (os.fdopen(number, "w", buffering=1, closefd=False) for number in (1, 2))
        self._thread = threading.Thread(target=self._copy, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = self._own
        for number, kept in zip((1, 2), self._kept, strict=True):
            os.dup2(kept, number)
        self._ended.set()  # not the pipe's end: something that the job has left running may hold it open
        self._thread.join()

    def _copy(self) -> None:
        put_at = time.monotonic()
        while True:
            ended = self._ended.is_set()
            readable, _, _ = select.select([self._source], [], [], 0 if ended else _SECONDS_BETWEEN_LOOKS / 5)
            chunk = os.read(self._source, 65536) if readable else b""
            self._show(self._mask.through(chunk))
            if ended and not chunk:
                break
            if time.monotonic() - put_at >= _SECONDS_BETWEEN_LOOKS:
                self._put()
                put_at = time.monotonic()
        self._show(self._mask.rest())
        for _ in range(_LAST_TRIES):
            if self._put():
                break
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def _show(self, text: bytes) -> None:
        self._waiting += text
        with suppress(OSError):  # the service's own log of the driver
            os.write(self._kept[0], text)

    def _put(self) -> bool:
        """Write what has come as one piece, after one that was not taken before; False where it is not taken now.

        Such a piece is sent again as it was: perhaps only the answer was lost, and a reader has gone on to the next.
        """
        while self._piece or self._waiting:
            if not self._piece:
                self._piece, self._waiting = self._waiting, b""
            try:
                self._place.put(f"{self._prefix}/{self._number + 1:06d}", self._piece)
            except OSError:
                return False
            self._taken()
        return True

    def _taken(self) -> None:
        self._number += 1
        lines = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", self._piece).decode(errors="replace").split("\n")
        self.last_line = next((line.strip() for line in reversed(lines) if line.strip()), self.last_line)
        self._piece = b""
