"""Warnings of estimators and scorers, noted with the fit that they belong to.

Python keeps one list of filters, and one function that shows a warning, for all threads of a process, and
``warnings.catch_warnings`` sets both back to what they were when its block began: two fits in two threads would take
them from each other. So one function is set for as long as an engine is open, and each thread says where its own go.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from masking import masked, visible

_LONGEST_LINE = 500
_IN_THREADS = ".*sklearn.utils.parallel.delayed.*"  # of scikit-learn to itself, where it fits in a thread of ours

_mine = threading.local()


@contextmanager
def noted_warnings() -> Iterator[list[str]]:
    """Give a list that fills with the warnings that this thread raises in the block, a line each."""
    lines: list[str] = []
    _mine.lines = lines
    try:
        if warnings.showwarning is _note:
            yield lines
        else:
            with notes_kept():
                yield lines
    finally:
        _mine.lines = None


@contextmanager
def notes_kept() -> Iterator[None]:
    """Have warnings noted by the thread that raises them; for as long as threads fit side by side."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", message=_IN_THREADS)
        shown = warnings.showwarning
        _others.show = shown
        warnings.showwarning = _note
        yield


class _Others:
    """Where warnings go that no fit has raised."""

    show: Any = staticmethod(warnings.showwarning)


_others = _Others()


def _note(message: Warning | str, *rest: Any, **more: Any) -> None:
    lines = getattr(_mine, "lines", None)
    if lines is None:
        _others.show(message, *rest, **more)
    else:
        lines.append(one_line(message))


def one_line(raised: BaseException | str) -> str:
    """One line that says what was raised, without secrets: a user's own code may speak of where its data are."""
    text = visible(masked(" ".join(str(raised).split())))
    return f"{type(raised).__name__}: {text}"[:_LONGEST_LINE]
