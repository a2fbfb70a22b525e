"""The code that workers need, in one archive: executors have the libraries, but not this project."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[3]
SHIPPED = ("errors.py", "tuning")
"""What a worker imports of this project; other rooms stay at home."""


def write_archive(folder: Path) -> Path:
    """Write the archive into `folder`, under a name that stands for its content.

    Spark ignores a second file of the same name, and Python workers that have imported one keep it; a name by content
    lets an edited project reach a session that is still open.
    """
    sources = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in _sources()}
    digest = hashlib.sha256(repr(sorted(sources.items())).encode()).hexdigest()[:12]
    archive = folder / f"gridfold-{digest}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in sorted(sources.items()):
            packed.writestr(name, content)
    return archive


def _sources() -> list[Path]:
    roots = [ROOT / name for name in SHIPPED]
    return [path for root in roots for path in ([root] if root.is_file() else sorted(root.rglob("*.py")))]
