"""Versions of the libraries that fit: another release may score otherwise."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Iterable, Mapping

from tuning.spec.modules import OURS

_CALLED = {"sklearn": "scikit-learn", "imblearn": "imbalanced-learn"}
ALWAYS = ("numpy", "scipy", "sklearn")


def version_of(package: str) -> str:
    """Version of an installed package, by the name that it is imported under; empty where it is none."""
    try:
        return importlib.metadata.version(_CALLED.get(package, package))
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return str(getattr(sys.modules.get(package), "__version__", ""))


def python_and_machine() -> str:
    """Python's minor version and the kind of processor, both of which a result's last digits may hang on."""
    return f"{platform.python_version_tuple()[:2]} {platform.machine()}"


def versions(packages: Iterable[str]) -> Mapping[str, str]:
    """Return the versions of those `packages` that are installed and neither Python's own nor ours."""
    wanted = sorted({*packages} - OURS - sys.stdlib_module_names)
    found = {package: version_of(package) for package in wanted}
    return {package: version for package, version in found.items() if version}
