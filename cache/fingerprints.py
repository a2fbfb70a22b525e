"""Names for results: the same inputs and the same code give the same name, anything else another.

Hashing the code of the room that made a result keeps a stale cache from outliving a fix. We hash the room's source
files rather than the installed version, since a project repo is edited far more often than it is released.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

_DIGITS = 16


def fingerprint(**parts: Any) -> str:
    """Sixteen hex digits that stand for `parts`.

    Parameters
    ----------
    **parts
        Anything JSON can say. The order of keywords and of mapping keys does not matter.
    """
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:_DIGITS]


def code_digest(*packages: ModuleType) -> str:
    """Sixteen hex digits that stand for every Python file of `packages`, by relative name and content."""
    digest = hashlib.sha256()
    for package in packages:
        for root in sorted(package.__path__):
            for source in sorted(Path(root).rglob("*.py")):
                digest.update(source.relative_to(root).as_posix().encode())
                digest.update(source.read_bytes())
    return digest.hexdigest()[:_DIGITS]
