"""How findings speak of numbers."""

from __future__ import annotations

from collections.abc import Sequence


def counted(n: int, what: str) -> str:
    """Return ``1 row``, ``2,000 rows``."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def listed(names: Sequence[str], most: int = 5) -> str:
    """Join the first few names, and say how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
