"""A few lines at the bottom of the terminal that are drawn anew twice a second.

The cursor waits on an empty line below them. What others write meanwhile without asking (the terminal's ``^C``, the
line that ``mlflow run`` itself says on an interrupt) then stands on a line of its own. After an interrupt nothing is
drawn any more: where the cursor is by then is not known, and a picture drawn over another one is seen twice.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

_PER_SECOND = 2
_WHEEL = "|/-\\"


class Screen:
    """Draws what `picture` returns, until the block is left.

    Parameters
    ----------
    console : rich.console.Console
    picture : callable
        Called from a thread of the screen's own.
    stays : bool
        Whether the last picture stays on the terminal.
    """

    def __init__(self, console: Console, picture: Callable[[], RenderableType], stays: bool) -> None:
        self._picture = picture
        self._live = _Live(
            console=console,
            get_renderable=self._above_the_cursor,
            refresh_per_second=_PER_SECOND,
            transient=not stays,
            redirect_stdout=sys.stdout.isatty(),  # results that go to a file must not land here
        )

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._live.frozen = kind is not None and not issubclass(kind, Exception)
        self._live.stop()

    def _above_the_cursor(self) -> RenderableType:
        return Group(self._picture(), Text(""))


def one_line(text: str, style: str = "") -> Text:
    """Return `text` as a line that is cut, rather than wrapped, where the terminal ends."""
    return Text(text, style, overflow="ellipsis", no_wrap=True)


def wheel() -> str:
    """Return a mark that turns, so that a line which says the same is seen to be alive."""
    return _WHEEL[int(time.monotonic() * _PER_SECOND) % len(_WHEEL)]


class _Live(Live):
    frozen = False

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)

    def refresh(self) -> None:
        """Draw, unless the cursor may be anywhere."""
        if not self.frozen:
            super().refresh()
