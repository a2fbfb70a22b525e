"""A word to whoever sits at a terminal while Python loads the libraries, which takes from seconds to half a minute.

Imports nothing that takes time itself. What it writes is wiped off again.
"""

from __future__ import annotations

import os
import sys
import threading

PARENT = os.getppid()
"""The process that has started this one; it may be gone before the libraries are there."""

_EVERY = 1.0  # seconds
_WORDS = "loading the libraries and opening the store"


class _Waking:
    def __init__(self) -> None:
        self._over = threading.Event()
        self._writes = threading.Lock()
        self._written = 0

    def begin(self) -> None:
        """Say after a moment that the command is on its way; not in a file, where it could not be wiped off."""
        if sys.stderr is not None and sys.stderr.isatty() and not os.environ.get("CI"):
            threading.Thread(target=self._go_on, name="waking", daemon=True).start()

    def end(self) -> None:
        """Wipe it off: from now on the command speaks for itself."""
        with self._writes:
            self._over.set()
            if self._written:
                self._write(" " * self._written)
                self._write("")
                self._written = 0

    def _go_on(self) -> None:
        seconds = 0
        while not self._over.wait(_EVERY):
            seconds += 1
            with self._writes:
                if not self._over.is_set():
                    self._written = self._write(f"{_WORDS}, {seconds} s")

    def _write(self, text: str) -> int:
        sys.stderr.write(f"\r{text}" if text else "\r")
        sys.stderr.flush()
        return len(text)


waking = _Waking()
