"""Which columns a person means by ``-P target``: one, or several with commas between them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any


def target_columns(text: str, columns: Collection[Any]) -> list[str]:
    """Return the columns that `text` names, whether they are there or not.

    Parameters
    ----------
    text : str
        As typed. A column whose own name has a comma is named whole.
    columns : collection of str
        Those of the table.
    """
    if text in columns or "," not in text:
        return [text]
    return [part if part in columns else part.strip() for part in text.split(",")]
