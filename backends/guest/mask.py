"""Secrets taken out of a job's output as it passes, in whatever pieces it comes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import unquote, urlsplit

LEAST = 4
"""Masking shorter values would garble the log and hide nothing."""

_STARS = "***"


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


def hide(text: str, secrets: Iterable[str]) -> str:
    """Return a whole text without the secrets."""
    mask = Mask(stars(secrets))
    return (mask.through(text.encode()) + mask.rest()).decode(errors="replace")


def stars(secrets: Iterable[str]) -> dict[str, str]:
    """Return what is shown in place of secrets, and of the password in one that is an address."""
    words = [word for secret in secrets for word in (secret, *_passwords(secret))]
    return dict.fromkeys((word for word in words if len(word) >= LEAST), _STARS)


def _passwords(address: str) -> tuple[str, ...]:
    """Return the password in an address, as it is written there and as it is meant."""
    try:
        written = urlsplit(address).password or ""
    except ValueError:
        return ()
    return written, unquote(written)


def _overlap(text: bytes, word: bytes) -> int:
    """Return the length of the longest end of `text` that `word` begins with."""
    longest = min(len(text), len(word) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(word[:size])), 0)
