"""A container's log, read over as many connections as it takes, each line once.

The engine stamps every line with nanoseconds, and sends the log from any time on: after a break we ask for what came at
or after the last line's stamp, and leave out the lines that carry it and have been written.
"""

from __future__ import annotations

import re
from typing import Any

from backends.dsvm.streams import attentive, timestamp
from backends.guest.output import MARK
from backends.job import Write

_CODES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class LogReader:
    """Remembers how far the log has been written.

    Attributes
    ----------
    last_line : str
        Of the log so far, without colours; blank lines do not count.
    """

    def __init__(self, container: str) -> None:
        self._container = container
        self._stamp = b""
        self._with_stamp = 0  # lines written that carry it
        self.last_line = ""

    def follow(self, client: Any, write: Write, live: bool = True) -> None:
        """Write what the log has gained, until it ends or the connection breaks.

        Parameters
        ----------
        live : bool
            Wait for more. A last line that has no end comes only to those who do not wait: read once more afterwards.
        """
        seen, repeated = self._stamp, self._with_stamp
        stream = client.api.logs(
            self._container, stdout=True, stderr=True, stream=True, follow=live, timestamps=True, since=_seconds(seen)
        )
        for message in attentive(stream):  # a line, or 16 KiB of one, each with a stamp
            stamp, _, text = message.partition(b" ")
            if stamp < seen:
                continue
            if stamp == seen and repeated:
                repeated -= 1
                continue
            self._with_stamp = self._with_stamp + 1 if stamp == self._stamp else 1
            self._stamp = stamp
            text = text.removesuffix(MARK)
            self.last_line = plain(text) or self.last_line
            write(text)

    def __repr__(self) -> str:
        return f"LogReader({self._container[:12]}, up to {self._stamp.decode() or 'nothing'})"


def plain(text: bytes) -> str:
    """Return text as a person reads it, without the codes that colour it or move the cursor."""
    return _CODES.sub("", text.decode(errors="replace")).strip()


def _seconds(stamp: bytes) -> int | None:
    return int(timestamp(stamp.decode())) if stamp else None
