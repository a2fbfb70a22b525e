"""The code that workers need, in one archive: executors have the libraries, but not this project."""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
import zipfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
SHIPPED = ("errors.py", "gridfold.py", "tuning", "yaml12.py")
"""What a worker imports of this project; other rooms stay at home."""


def archive() -> Path:
    """Write the archive, under a name that stands for its content, and return its path.

    Spark ignores a second file of the same name, and Python workers that have imported one keep it; a name by content
    lets an edited project reach a session that is still open.
    """
    sources = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in _sources()}
    digest = hashlib.sha256(repr(sorted(sources.items())).encode()).hexdigest()[:12]
    path = scratch() / f"gridfold-{digest}.zip"
    if not path.exists():
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, content in sorted(sources.items()):
                packed.writestr(name, content)
    return path


@cache
def scratch() -> Path:
    """Return a folder that lasts as long as this process: an executor that joins late fetches files from it."""
    folder = Path(tempfile.mkdtemp(prefix="gridfold-spark-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _sources() -> list[Path]:
    roots = [ROOT / name for name in SHIPPED]
    return [path for root in roots for path in ([root] if root.is_file() else sorted(root.rglob("*.py")))]
