"""What a command leaves on stdout: facts in a box and addresses on lines of their own; plain lines in a file.

An address that is broken at the terminal's edge can be neither clicked nor copied, so it begins its line and nothing
follows it.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from entrypoints.terminal.console import is_lively
from tracking.links import Links

Row = tuple[str, str]
_LABEL = 8


def show_facts(title: str, rows: Sequence[Row], console: Console | None = None) -> None:
    """Write `rows`, each a label and what it says, as one block; a row without a label goes on from the one above."""
    on = console or _stdout()
    if not is_lively(on):
        for label, text in rows:
            _plain(f"{label:<{_LABEL}} {text}", console)
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in rows:
        table.add_row(label, Text(text))
    on.print(Panel(table, title=Text(title, "bold"), title_align="left", box=box.ROUNDED))


def show_row(label: str, text: str, console: Console | None = None) -> None:
    """Write a label and what it says; on a terminal what does not fit goes on below, as far in."""
    on, line = console or _stdout(), f"{label:<{_LABEL}} {text}"
    if is_lively(on):
        line = textwrap.fill(line, on.width, subsequent_indent=" " * (_LABEL + 1), break_long_words=False)
    _plain(line, console)


def show_lines(rows: Sequence[Row], console: Console | None = None) -> None:
    """Write `rows`, each a label and a line to copy, which is never broken; on a terminal below its label.

    A row without a line is left out.
    """
    on = console or _stdout()
    room = on.width - _LABEL - 1 if is_lively(on) else math.inf
    for label, text in rows:
        if text:
            below = f"{label}\n{text}" if label else text
            _plain(f"{label:<{_LABEL}} {text}" if len(text) <= room else below, console)


def where_to_look(links: Links) -> list[Row]:
    """Return the addresses to open while the sweep goes on."""
    return [("look", links.server), ("charts", links.charts), ("run", links.run)]


def _stdout() -> Console:
    return Console(highlight=False)


def _plain(line: str, console: Console | None) -> None:
    """Write a line as it is: rich would break it at the terminal's width, and cut a file's at 80.

    To stdout by ``print``, which passes above a picture that is drawn meanwhile.
    """
    if console is None:
        print(line, flush=True)
    else:
        console.file.write(f"{line}\n")
