"""What each backend can do and what it needs of this machine, declared in its package and shown by ``-e backends``.

Declared beside the backend's classes and not on them: those may need a library that is not installed, and to say so is
what the table is for.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from backends.reach import is_local
from masking import shown

DECLARED = "ABILITIES"


@dataclass(frozen=True)
class Abilities:
    """What a backend declares.

    Attributes
    ----------
    place : str
        What a job runs on, in a few words.
    file : str
        Its configuration, below the project's folder.
    settings : str
        The class of what the file says, as ``module:Class``.
    example : str
        What stands there for the user's own place until they have written it in.
    tunnels : bool
        Whether a job can log to a store of this machine through the backend, where its file asks for that; without it
        every job needs a server.
    keeps_cache : bool
        Whether the next job finds the tables, features and fits of this one.
    attaches : bool
        Whether a job goes on without this machine and can be followed again.
    gpus : bool
        Whether its file can ask for GPUs.
    spark : bool
        Whether fits can run on many machines.
    modules : mapping of str to str
        Libraries that it needs, and the extra of this project that brings each.
    programs : mapping of str to str
        Programs that it needs here, and how to get each.
    variables : tuple of str
        Environment variables that must be set, unless its file names others.
    """

    place: str
    file: str
    settings: str
    example: str
    tunnels: bool = False
    keeps_cache: bool = False
    attaches: bool = False
    gpus: bool = False
    spark: bool = False
    modules: Mapping[str, str] = field(default_factory=dict)
    programs: Mapping[str, str] = field(default_factory=dict)
    variables: tuple[str, ...] = ()

    @property
    def model(self) -> Any:
        """The class of its settings."""
        module, _, name = self.settings.partition(":")
        return getattr(import_module(module), name)

    def missing(self, project: Path, tracking_uri: str) -> Iterator[str]:
        """Say what is to be done here before the backend can be used, a sentence each.

        Parameters
        ----------
        project : Path
            The folder that holds MLproject.
        tracking_uri : str
        """
        for module, extra in self.modules.items():
            if not _is_there(module):
                yield f"install {module}: pip install -e '.[{extra}]'"
        for program, cure in self.programs.items():
            if shutil.which(program) is None:
                yield f"install {program}: {cure}"
        text = _text(project / self.file)
        if text is None:
            yield f"write {self.file}"
        elif self.example in text:
            yield f"put your own in place of {self.example} in {self.file}"
        for name in self.variables:
            if name not in os.environ and (text is None or f'"{name}"' in text):
                yield f"set {name}"
        if is_local(tracking_uri) and not (self.tunnels and '"tunnel": true' in (text or "")):
            other = f', or put "tunnel": true in {self.file}' if self.tunnels else ""
            yield f"set MLFLOW_TRACKING_URI to a server ({shown(tracking_uri)} is of this machine alone){other}"


def declared() -> Mapping[str, Abilities]:
    """Return what this project's backends declare, by the word after ``-b``: their package's name, with hyphens.

    By their packages and not by their entry points: a job may run where this project is not installed.
    """
    found = {}
    for each in iter_modules(import_module(__package__).__path__):
        if each.ispkg and (able := getattr(import_module(f"{__package__}.{each.name}"), DECLARED, None)):
            found[each.name.replace("_", "-")] = able
    return found


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # nor is the package that it would be in
        return False


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
