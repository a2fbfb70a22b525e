"""The user's own modules: files in the project's folder or beside the spec, which a spec may name.

A module is the user's own when Python finds it outside of the standard library and of what is installed, and it is
none of our rooms. So nothing installed is ever shadowed: a file ``joblib.py`` beside the spec is refused by its name,
not read in joblib's place. The folders go to the end of ``sys.path`` and stay there, since worker processes import the
classes of pickled estimators by name.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from errors import SpecError

OURS = frozenset(
    {"backends", "benchmarks", "cache", "docs", "entrypoints", "errors", "features", "gridfold", "masking", "release"}
    | {"report", "sources", "spaces", "tests", "tracking", "tuning", "yaml12"}
)
"""Names at the top of this project, which are not a user's to name."""

_INSTALLED = ("site-packages", "dist-packages")
_beside: list[str] = []
_brought: set[Path] = set()


def look_beside(path: Path) -> None:
    """Let the modules in the folder of `path` be named, before those of folders that were looked in earlier."""
    folder = os.path.dirname(os.path.realpath(path))  # which, other than resolve(), takes a link that leads to itself
    if not os.path.isdir(folder):
        return
    there = {each.stem for each in Path(folder).iterdir() if each.suffix == ".py" or each.is_dir()}
    for name in [name for name in sys.modules if name.partition(".")[0] in there]:
        if any(_lies_in(sys.modules[name], earlier) for earlier in _beside if earlier != folder):
            del sys.modules[name]  # another module of that name was meant by an earlier spec
    if folder in _beside:
        sys.path.remove(folder)
        _beside.remove(folder)
    if folder not in sys.path:
        first = next((place for place, entry in enumerate(sys.path) if entry in _beside), len(sys.path))
        sys.path.insert(first, folder)
        _beside.append(folder)


def look_in_archive(path: Path) -> None:
    """Let the modules in a zip file on ``sys.path`` be named: another process has sent it."""
    _brought.add(path)


def own_place(name: str) -> Path | None:
    """Return the file, or the package's folder, of the user's own module `name`; None where it is not theirs.

    Parameters
    ----------
    name : str
        At the top: ``mymodels``, not ``mymodels.parts``. Nothing is imported.
    """
    if name in OURS or name in sys.stdlib_module_names or name == "__main__":
        return None
    if not any(entry in ("", str(Path.cwd())) for entry in sys.path):
        sys.path.append(str(Path.cwd()))
    importlib.invalidate_caches()
    try:
        found = importlib.util.find_spec(name)
    except (ValueError, ImportError):
        return None
    if found is None:
        return None
    folders = list(found.submodule_search_locations or [])
    place = Path(folders[0] if folders else found.origin or "")
    if _brought & set(place.parents):
        return place
    return None if set(place.parts) & set(_INSTALLED) or not place.exists() else place.resolve()


def import_own(name: str) -> ModuleType:
    """Import the user's own module `name`.

    Raises
    ------
    SpecError
        It is not there, or it fails as it is imported.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise SpecError(f"no module named '{error.name or name}'. Check the path, or install it.") from error
    except (Exception, SystemExit) as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise SpecError(f"the module {name} cannot be imported ({said}). Mend it.") from error


def local_modules(used: Any) -> list[Path]:
    """Name what must travel so that `used` can be unpickled elsewhere.

    Parameters
    ----------
    used : object
        An estimator, fitted or not, a class or function, or a value as a spec writes it; lists and mappings of them.

    Returns
    -------
    list of Path
        For each of the user's own modules at the top of a dotted path, its file or, of a package, its folder; those
        that they import are among them. Sorted; empty where all of it is installed.
    """
    places: dict[str, Path] = {}
    waiting = {name.partition(".")[0] for name in _modules_in(used)}
    while waiting:
        name = waiting.pop()
        place = None if name in places else own_place(name)
        if place is not None:
            places[name] = place
            waiting |= set(_imported_by(place))
    return sorted(places.values())


def modules_named(used: Any) -> set[str]:
    """Names at the top of the modules that `used`, as ``local_modules`` takes it, is made of, whoever has them."""
    return {name.partition(".")[0] for name in _modules_in(used)}


def installed_imports(places: Iterable[Path]) -> set[str]:
    """Names at the top of what the user's own modules import, in any of their functions too, and is installed."""
    names = {name for place in places for name in _imported_by(place)} - OURS - sys.stdlib_module_names
    return {name for name in names if own_place(name) is None and _is_installed(name)}


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ValueError, ImportError):
        return False


def _modules_in(used: Any) -> Iterator[str]:
    if isinstance(used, Mapping):
        for key in ("class", "function"):
            if isinstance(used.get(key), str):
                yield used[key]
        yield from (name for value in used.values() for name in _modules_in(value))
    elif isinstance(used, list | tuple):
        yield from (name for value in used for name in _modules_in(value))
    elif isinstance(used, str):
        yield from [used] if "." in used and used.replace(".", "").isidentifier() else []
    elif isinstance(used, ModuleType):
        yield used.__name__
    elif isinstance(used, type):
        yield from (kind.__module__ for kind in used.__mro__)
    elif hasattr(used, "get_params"):
        yield from _modules_in(type(used))
        yield from (name for value in used.get_params(deep=False).values() for name in _modules_in(value))
    else:  # a function, a scorer, a splitter, or a value
        for name in ("func", "_score_func", "_scorers") if callable(used) else ():
            yield from _modules_in(getattr(used, name, None))
        yield getattr(used, "__module__", None) or type(used).__module__


def _imported_by(place: Path) -> Iterator[str]:
    """Names at the top of what a module, or any module of a package, imports."""
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place] if place.suffix == ".py" else []
    for file in files:
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


def _lies_in(module: ModuleType, folder: str) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(folder) in Path(file).parents
