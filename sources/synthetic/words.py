"""Names of label categories: 836 different ones, repeated and empty cells as in the real file."""

from __future__ import annotations

import itertools

_DISTINCT = 836
_EMPTY = 3  # rows without a name
_SUBJECTS = (
    "game", "finance", "sports", "music", "video", "education", "travel", "shopping", "health", "news", "reading",
    "photo", "social", "weather", "map", "car", "house", "food", "beauty", "fashion", "mother", "baby", "children",
    "pet", "military", "history", "art", "science", "language", "business", "office", "security", "system", "browser",
    "input", "lottery", "stock", "fund", "insurance", "bank", "payment", "credit", "coupon", "delivery", "taxi",
    "train", "flight", "hotel", "wedding", "astrology", "comics", "fiction", "radio", "karaoke", "chess", "cards",
    "puzzle", "racing", "shooting", "fishing", "cooking", "garden", "property", "rental", "jobs", "parenting",
    "fitness", "medical",
)  # fmt: skip
_KINDS = (
    "", "services", "tools", "communities", "for Women", "for Men", "Industry tag", "1 vitality", "free", "news ",
    "online", "Custom", "VIP ", "P2P ",
)  # fmt: skip


def category_names(rows: int) -> list[str | None]:
    """Return the `category` cell of each of `rows` rows.

    Some names stand in several rows, "unknown" in most; some have capitals or end with a space.
    """
    made = (f"{subject} {kind}" if kind else subject for kind, subject in itertools.product(_KINDS, _SUBJECTS))
    names: list[str | None] = ["unknown", *itertools.islice(made, _DISTINCT - 1)]
    repeats = rows - _DISTINCT - _EMPTY
    again = [names[0] if row % 2 else names[row] for row in range(repeats)]
    cells = [None] * _EMPTY + again + names
    # a fixed stride that shares no factor with the number of rows mixes them without a random generator
    return [cells[row * 337 % rows] for row in range(rows)]
