"""The pages that people read, and the commands in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
_OURS = ("mlflow", "python", "python3")
_ASSIGNMENT = re.compile(r"[A-Z_]+=\S*$")


def commands(page: Path) -> Iterator[tuple[str, ...]]:
    """Yield the words of every command of ours on a page: in blocks of code, and in a line's backquotes."""
    whole = page.read_text("utf-8")
    for text in (*_blocks(whole), *re.findall(r"`((?:mlflow|python) [^`]+)`", whole)):
        for part in re.split(r"\s*&&\s*|\s*\|\s+", text):
            yield from _command(part)


def _blocks(text: str) -> Iterator[str]:
    """Yield the lines of code, continued ones joined."""
    text = re.sub(r"\\\n\s*", " ", text)
    fenced = False
    for line in text.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            yield line.strip().removeprefix("$ ")


def _command(text: str) -> Iterator[tuple[str, ...]]:
    first = next((word for word in text.split() if not _ASSIGNMENT.match(word)), "")
    if first not in _OURS:
        return
    words = shlex.split(text, comments=True)
    while _ASSIGNMENT.match(words[0]):
        words.pop(0)
    yield tuple(words)
