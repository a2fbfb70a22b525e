"""What a command leaves on stdout: facts in a box and addresses on lines of their own; plain lines in a file.

An address that is broken at the terminal's edge can be neither clicked nor copied, so it begins its line and nothing
follows it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from entrypoints.terminal.console import is_lively

Row = tuple[str, str]
_LABEL = 8


def show_facts(title: str, rows: Sequence[Row], console: Console | None = None) -> None:
    """Write `rows`, each a label and what it says, as one block; a row without a label goes on from the one above."""
    console = console or Console(highlight=False)
    if not is_lively(console):
        for label, text in rows:
            _plain(console, f"{label:<{_LABEL}} {text}")
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in rows:
        table.add_row(label, Text(text))
    console.print(Panel(table, title=Text(title, "bold"), title_align="left", box=box.ROUNDED))


def show_row(label: str, text: str, console: Console | None = None) -> None:
    """Write a label and what it says; on a terminal what does not fit goes on below, as far in."""
    console = console or Console(highlight=False)
    line = f"{label:<{_LABEL}} {text}"
    if is_lively(console):
        line = textwrap.fill(line, console.width, subsequent_indent=" " * (_LABEL + 1), break_long_words=False)
    _plain(console, line)


def show_lines(rows: Sequence[Row], console: Console | None = None) -> None:
    """Write `rows`, each a label and a line to copy, which is never broken; on a terminal below its label.

    A row without a line is left out.
    """
    console = console or Console(highlight=False)
    lively = is_lively(console)
    for label, text in rows:
        if not text:
            continue
        if lively and len(text) + _LABEL + 1 > console.width:
            _plain(console, f"{label}\n{text}" if label else text)
        else:
            _plain(console, f"{label:<{_LABEL}} {text}")


def _plain(console: Console, line: str) -> None:
    """Write a line as it is: rich would break it at the terminal's width, and cut a file's at 80."""
    console.file.write(f"{line}\n")
    console.file.flush()
