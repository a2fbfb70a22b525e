"""The code that workers need, in archives: executors have the libraries, but neither this project nor a user's own."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from cache import process_folder

ROOT = Path(__file__).parents[3]
SHIPPED = ("cache", "errors.py", "gridfold.py", "masking.py", "tuning", "yaml12.py")
"""What a worker imports of this project; other rooms stay at home."""


def archive() -> Path:
    """Write the archive, under a name that stands for its content, and return its path.

    Spark ignores a second file of the same name, and Python workers that have imported one keep it; a name by content
    lets an edited project reach a session that is still open.
    """
    return _packed("gridfold", {path.relative_to(ROOT).as_posix(): path for path in _sources()})


def archive_of(modules: Iterable[Path]) -> Path | None:
    """Write an archive of the user's own modules, files or packages' folders; None where there are none."""
    files = {path.relative_to(root.parent).as_posix(): path for root in modules for path in _files(root)}
    return _packed("modules", files) if files else None


def _packed(kind: str, files: Mapping[str, Path]) -> Path:
    sources = {name: path.read_bytes() for name, path in files.items()}
    digest = hashlib.sha256(repr(sorted(sources.items())).encode()).hexdigest()[:12]
    path = scratch() / f"{kind}-{digest}.zip"
    if not path.exists():
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, content in sorted(sources.items()):
                packed.writestr(name, content)
    return path


@cache
def scratch() -> Path:
    """Return a folder that lasts as long as this process: an executor that joins late fetches files from it."""
    return process_folder("gridfold-spark-")


def _sources() -> list[Path]:
    return [path for name in SHIPPED for path in _files(ROOT / name) if path.suffix == ".py"]


def _files(root: Path) -> list[Path]:
    """Return the file, or what is in the folder and has not been compiled from it."""
    found = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.is_file())
    return [path for path in found if "__pycache__" not in path.parts]
