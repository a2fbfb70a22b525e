"""What must not be shown: passwords, tokens and signatures, taken out of words that are about to leave this process.

There are two ways to know a secret. By its form: the name and password before a URI's ``@``, and what stands behind
``password=``, ``token=``, ``sig=`` and the like, in a URI, a connection string or a header. And by its value: what this
process's environment holds under such a name, or in such a form, since a driver may repeat a password without its URI.

What is kept exactly (parameters, tags) is masked by a URI's form alone: a secret ``1234`` must not change a 0.1234.
Sentences are masked by both. Code that runs on another machine, where this file is not, has a mask of its own
(``backends/guest/mask.py``), which knows the values that were sent with it.
"""

from __future__ import annotations

import logging
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

HIDDEN = "…"
CREDENTIALS = "put credentials into the environment: AZURE_STORAGE_CONNECTION_STRING and others, see SECURITY.md."
"""How a sentence ends that refuses a secret."""

LEAST = 4
"""Shorter values are not looked for: that would garble every line and hide nothing."""

_UNMISTAKABLE = 12  # letters; a shorter value may stand in a path or a number by chance
_BY_VALUE = "the value of a secret of the environment"
_NAMES_ALONE = ("wasb", "wasbs", "abfs", "abfss", "ssh")  # CONTAINER@ACCOUNT, USER@HOST: nobody signs in with that
_WORDS = "password|passwd|passphrase|pwd|secret|token|signature|credential|odbc_connect"
_KEYS = "(?:api|access|account|secret|private|shared)[-_]?key"
_NAME = rf"(?<![\w])(?:[\w.-]*?(?:{_WORDS}|{_KEYS})|sig|sas|sharedaccesssignature)"
_VALUE = r"[^&;#\s'\"<>]*[^&;#\s'\"<>.,:)\]}]"

_URI = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<who>[^/?#\s]*)@")
_DATABASE = re.compile(r"(?P<scheme>(?:postgres|mysql|mariadb|mssql|oracle)[A-Za-z0-9+.]*)://(?P<who>\S*)@")
_FIELD = re.compile(rf"(?P<name>{_NAME}|(?<=[?&])key)(?P<is>=|%3D)(?P<value>{_VALUE})", re.IGNORECASE)
_QUOTED = re.compile(
    rf"(?P<name>['\"]{_NAME}['\"])(?P<is>\s*:\s*)(?P<quote>['\"])(?P<value>.+?)(?P=quote)", re.IGNORECASE
)
_HEADER = re.compile(
    r"(?P<name>\bauthorization['\"]?)(?P<is>\s*[:=]\s*['\"]?(?:(?:bearer|basic)\s+)?)(?P<value>[^\s'\",}]+)",
    re.IGNORECASE,
)
_VARIABLE = re.compile(rf"(?!(?:old)?pwd$).*(?:{_WORDS}|{_KEYS}|connection_string|_sas)", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_NO_SECRETS = ("true", "false", "none", "null")


def shown(text: str) -> str:
    """Return a URI, or words with URIs in them, without what would let a reader sign in."""
    if not any(sign in text for sign in "=@:%"):
        return text
    for pattern in (_DATABASE, _URI):
        text = pattern.sub(_without_name, text)
    return _FIELD.sub(_without_value, text)


def masked(sentence: str) -> str:
    """Return a sentence as `shown` does, and without the secrets of headers, mappings and the environment."""
    for value in _values(tuple(os.environ.items())):
        sentence = sentence.replace(value, HIDDEN)
    for pattern in (_QUOTED, _HEADER):
        sentence = pattern.sub(_without_value, sentence)
    return shown(sentence)


@contextmanager
def libraries_masked() -> Iterator[None]:
    """Mask what libraries log and warn of while the block runs, tracebacks too."""
    factory, formatted = logging.getLogRecordFactory(), warnings.formatwarning

    def record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        made = factory(*args, **kwargs)
        with suppress(Exception):  # of arguments that do not fit the message: logging says so itself
            made.msg, made.args = masked(made.getMessage()), ()
        if made.exc_info and made.exc_info[0]:
            made.exc_text = masked(logging.Formatter().formatException(made.exc_info))
        return made

    logging.setLogRecordFactory(record)
    warnings.formatwarning = lambda *args, **kwargs: masked(formatted(*args, **kwargs))
    try:
        yield
    finally:
        logging.setLogRecordFactory(factory)
        warnings.formatwarning = formatted


def visible(text: str) -> str:
    """Return `text` with control characters spelled out, which a terminal obeys and most stores and files refuse."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def secret_in(text: str) -> str | None:
    """Return in what form `text` holds a secret, such as ``'sig='``; None where it holds none."""
    if form := next((form for form, _ in _found(text)), None):
        return form
    values = _values(tuple(os.environ.items()))
    return _BY_VALUE if any(value in text for value in values if len(value) >= _UNMISTAKABLE) else None


def _without_name(match: re.Match[str]) -> str:
    return f"{match['scheme']}://{HIDDEN}@" if _signs_in(match) else match[0]


def _without_value(match: re.Match[str]) -> str:
    quote = match["quote"] if "quote" in match.re.groupindex else ""
    return f"{match['name']}{match['is']}{quote}{HIDDEN}{quote}"


def _signs_in(match: re.Match[str]) -> bool:
    is_a_name = match["scheme"].lower() in _NAMES_ALONE and ":" not in match["who"]
    return match["who"] not in ("", HIDDEN) and not is_a_name


def _found(text: str) -> Iterator[tuple[str, str]]:
    """Yield each secret in `text`: its form in a person's words, and its value."""
    for pattern in (_DATABASE, _URI):
        for match in pattern.finditer(text):
            if _signs_in(match):
                yield "a name or a password before '@'", match["who"].partition(":")[2]
    for match in _FIELD.finditer(text):
        if match["value"] != HIDDEN:
            yield f"'{match['name']}{match['is']}'", match["value"]


def _is_secret(name: str, value: str) -> bool:
    return bool(value) and _VARIABLE.fullmatch(name) is not None


@lru_cache(maxsize=4)
def _values(environment: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """Return the secrets of an environment, and as they stand in a URI or out of it; the longest first."""
    found = {value for name, value in environment if _is_secret(name, value)}
    found |= {value for _, text in environment for _, value in _found(text)}
    found |= {unquote(value) for value in found}
    kept = {value for value in found if len(value) >= LEAST and value.lower() not in _NO_SECRETS}
    return tuple(sorted(kept, key=lambda value: (-len(value), value)))
