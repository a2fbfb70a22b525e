"""Where progress is written, and whether it may be redrawn there.

To stderr: stdout carries results only. A picture that is redrawn would bury a log file, a CI's log or a remote
backend's stream in control characters, so it is for terminals alone, and not where someone has asked for plain ones.
"""

from __future__ import annotations

import os

from rich.console import Console

_PLAIN = ("NO_COLOR", "CI")
_NOT_SAID = ("", "0", "false")


def to_person() -> Console:
    """Return the console for progress."""
    return Console(stderr=True, highlight=False, soft_wrap=False)


def is_lively(console: Console) -> bool:
    """Whether what stands on `console` may be redrawn."""
    asked = any(os.environ.get(name, "").lower() not in _NOT_SAID for name in _PLAIN)
    return console.is_terminal and not console.is_dumb_terminal and not asked and console.encoding.startswith("utf")


def is_ci() -> bool:
    """Whether this runs where a log is kept for nobody in particular, so that fewer lines are better."""
    return os.environ.get("CI", "").lower() not in _NOT_SAID


def say(console: Console, line: str) -> None:
    """Write a plain line, whatever its length and the marks in it."""
    console.print(line, soft_wrap=True, highlight=False, markup=False)
