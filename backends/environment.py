"""The Python environment that a job needs, as conda.yaml says it.

Only the interpreter's version and the pip section are read: an image with conda in it is a gigabyte larger and slower
to make, and every package that we need is a wheel. What pip cannot install is an error here and not a surprise there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml12
from backends.failures import BackendError
from cache import fingerprint

_PYTHON = re.compile(r"python\s*=+\s*(\d+\.\d+)(\.\d+)?(\.\*)?$")


@dataclass(frozen=True)
class Environment:
    """What conda.yaml asks for.

    Attributes
    ----------
    python : str
        The interpreter's version, e.g. ``3.11``.
    requirements : tuple of str
        pip's, in the file's order.
    """

    python: str
    requirements: tuple[str, ...]

    def digest(self, **beside: Any) -> str:
        """Sixteen hex digits that stand for the environment and whatever else, `beside` it, makes the image."""
        return fingerprint(python=self.python, requirements=self.requirements, **beside)


def read(path: Path) -> Environment:
    """Read conda.yaml.

    Raises
    ------
    BackendError
        It is not there, is not YAML, or asks for what pip alone cannot install.
    """
    try:
        content = yaml12.load(path)
    except (OSError, yaml12.YamlError) as error:
        raise BackendError(f"{path}: cannot be read: {' '.join(str(error).split())}") from error
    dependencies = content.get("dependencies", []) if isinstance(content, dict) else []
    requirements = [
        line.strip() for part in dependencies if isinstance(part, dict) for line in part.get("pip", []) if line.strip()
    ]
    names = [part for part in dependencies if isinstance(part, str)]
    return Environment(_python_version(path, names), tuple(requirements))


def _python_version(path: Path, names: list[str]) -> str:
    versions = [match[1] for name in names if (match := _PYTHON.match(name.strip()))]
    others = [name for name in names if not re.match(r"(python|pip)\b(?!-)", name.strip())]
    if others:
        raise BackendError(
            f"{path}: '{others[0]}' is a conda package; remote jobs install with pip: put it under 'pip:'."
        )
    if len(versions) != 1:
        raise BackendError(f"{path}: needs one line like 'python=3.11' under 'dependencies:'.")
    return versions[0]
