"""One finding."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """What a check has found.

    Attributes
    ----------
    code : str
        ``GF101``; its section in ``docs/findings.md``.
    words : str
        What was found, a sentence of Markdown without its full stop.
    advice : str
        What to do, likewise.
    next_spec : str
        Keys of a spec that does it, as YAML; empty where there are none.
    parameters : tuple of str
        Those that it is about.
    columns : tuple of str
        Names of the columns that it is about.
    rows : tuple of tuple of int
        Sets of rows that it is about, by what a person finds a row by.
    """

    code: str
    words: str
    advice: str
    next_spec: str = ""
    parameters: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[int, ...], ...] = ()
