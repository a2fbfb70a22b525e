"""Modules that travel with a model, imported from its folder and nowhere else.

Two models in one process may bring different modules of one name, and the process may have a third.
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_IMPORTING = threading.Lock()
_OURS = Path(__file__).parent.name


@contextmanager
def own_modules(folder: Path) -> Iterator[None]:
    """Let classes be imported from `folder`, and not be those of another model's modules or of the process's own.

    The modules stay in ``sys.modules``, for what they import later, unless the process has others of these names.
    """
    names = {path.stem for path in folder.iterdir()} if folder.is_dir() else set()
    roots = {name for name in names if name.isidentifier()} - {"__pycache__", _OURS}
    if not roots:
        yield
        return
    with _IMPORTING:
        here = _taken_out(roots)
        sys.path.insert(0, str(folder))
        importlib.invalidate_caches()
        try:
            yield
        finally:
            sys.path.remove(str(folder))
            if here:
                _taken_out(roots)
                sys.modules.update(here)


def _taken_out(roots: set[str]) -> dict[str, Any]:
    """Remove the modules at and below `roots` from ``sys.modules``, and return them."""
    names = [name for name in sys.modules if name.partition(".")[0] in roots]
    return {name: sys.modules.pop(name) for name in names}


def imported_from(folder: Path, name: str) -> Any:
    """Import the module `name` from `folder`, apart from any modules of the same names that the process has.

    The modules stay out of ``sys.modules``, so whatever they need must be imported at their tops.
    """
    roots = {path.stem for path in folder.iterdir()}
    with _IMPORTING:
        here = _taken_out(roots)
        sys.path.insert(0, str(folder))
        importlib.invalidate_caches()
        try:
            return importlib.import_module(name)
        finally:
            sys.path.remove(str(folder))
            _taken_out(roots)
            sys.modules.update(here)
