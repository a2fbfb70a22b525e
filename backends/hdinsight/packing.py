"""A Python environment that works wherever it is unpacked: interpreter, libraries, nothing that knows its own path.

The cluster's machines have another Python, so the interpreter goes along; a packed virtual environment only points at
one. Wheels are chosen for the machines' C library and not for this one's, which is newer. conda-pack makes such
archives too (the key ``archive`` takes them), but needs conda here.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

from backends.environment import Environment
from backends.failures import BackendError
from backends.hdinsight.settings import HdinsightSettings

_XGBOOST = re.compile(r"xgboost(?![A-Za-z0-9_.-])", re.IGNORECASE)
_OLD_NAMES = {5: "manylinux1", 12: "manylinux2010", 17: "manylinux2014"}
_RECIPE = "1"
"""Part of the name by content; another number makes all environments anew."""


def key(environment: Environment, settings: HdinsightSettings) -> str:
    """Return what names the archive: the same content gives the same key."""
    if settings.archive:
        with settings.archive.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:16]
    return environment.digest(
        requirements_used=_requirements(environment, settings),
        glibc=settings.glibc,
        python_used=str(settings.python or "uv"),
        recipe=_RECIPE,
    )


def pack(environment: Environment, settings: HdinsightSettings, scratch: Path) -> Path:
    """Return the archive, made in `scratch` unless the configuration names one.

    Raises
    ------
    BackendError
        One line: no relocatable Python, one of another version, or a library without a wheel for such machines.
    """
    if settings.archive:
        _check(settings.archive)
        return settings.archive
    home = scratch / "environment"
    shutil.copytree(_python(environment, settings, scratch), home, symlinks=True)
    _check_python(home, environment.python)
    _install(home, environment, settings, scratch)
    target = scratch / "environment.tar.gz"
    with tarfile.open(target, "w:gz", compresslevel=6) as archive:
        archive.add(home, arcname=".", filter=_kept)
    return target


def _requirements(environment: Environment, settings: HdinsightSettings) -> Sequence[str]:
    if settings.requirements is None:
        return environment.requirements
    lines = [line.partition(" #")[0].strip() for line in settings.requirements.read_text().splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def _python(environment: Environment, settings: HdinsightSettings, scratch: Path) -> Path:
    """Return the folder of a relocatable Python."""
    if settings.python:
        return settings.python
    uv = shutil.which("uv")
    if uv is None:
        raise BackendError(
            "the cluster's environment needs a relocatable Python, which uv downloads, and uv is not installed: "
            "pip install uv. Or name the folder of such a Python as 'python', or a packed environment as 'archive'."
        )
    folder = scratch / "python"
    command = [uv, "python", "install", environment.python, "--install-dir", str(folder)]
    done = subprocess.run(
        command, env={**os.environ, "UV_PYTHON_INSTALL_BIN": "0"}, capture_output=True, text=True, check=False
    )
    found = [path for path in folder.glob("cpython-*") if not path.is_symlink()]
    if done.returncode or not found:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1].strip()
        raise BackendError(
            f"uv cannot download Python {environment.python}: {said}. Name the folder of a relocatable Python as "
            "'python', or a packed environment as 'archive'."
        )
    return found[0]


def _check_python(home: Path, version: str) -> None:
    """Refuse a Python that is of another version, or that does not move with its folder."""
    probe = "import sys; print('%d.%d' % sys.version_info[:2]); print(sys.prefix)"
    command = [str(home / "bin" / "python3"), "-I", "-c", probe]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = done.stdout.splitlines()
    if done.returncode or len(said) != 2 or Path(said[1]).resolve() != home.resolve():
        raise BackendError(
            "the Python for the cluster's environment does not run from another folder than its own. Take one of "
            "python-build-standalone (uv python install)."
        )
    if said[0] != version:
        raise BackendError(f"the Python for the cluster's environment is {said[0]}, and conda.yaml asks for {version}.")


def _install(home: Path, environment: Environment, settings: HdinsightSettings, scratch: Path) -> None:
    """Install wheels that the cluster's machines can load.

    XGBoost asks for NVIDIA's NCCL (0.3 GB) by name; without a GPU nothing loads it, so it comes without what it asks
    for, which is here anyway.
    """
    wanted = _requirements(environment, settings)
    alone = [line for line in wanted if _XGBOOST.match(line)]
    others = [line for line in wanted if not _XGBOOST.match(line)] + ["numpy", "scipy"] * bool(alone)
    target = home / "lib" / f"python{environment.python}" / "site-packages"
    for lines, options in ((others, []), (alone, ["--no-deps"])):
        if lines:
            listed = scratch / "requirements.txt"
            listed.write_text("\n".join(lines) + "\n")
            _pip([*options, "--target", str(target), "-r", str(listed)], environment.python, settings.glibc)


def _pip(arguments: Sequence[str], python: str, glibc: str) -> None:
    platforms = [word for tag in platform_tags(glibc) for word in ("--platform", tag)]
    exact = ["--only-binary", ":all:", "--implementation", "cp", "--python-version", python, *platforms]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *exact, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    if match := re.search(r"No matching distribution found for (\S+)", done.stderr):
        raise BackendError(
            f"there is no wheel of {match[1]} for glibc {glibc}. Name an older version in the file of 'requirements', "
            "or correct 'glibc' (ldd --version on a machine of the cluster)."
        )
    said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [done.stderr.strip()[-300:]]
    raise BackendError(f"pip cannot make the cluster's environment: {said[0].removeprefix('ERROR: ')}")


def platform_tags(glibc: str) -> list[str]:
    """Return the wheel tags that machines with this C library can load, the newest first."""
    newest = int(glibc.removeprefix("2."))
    modern = [f"manylinux_2_{minor}_x86_64" for minor in range(newest, 4, -1)]
    return modern + [f"{name}_x86_64" for minor, name in reversed(_OLD_NAMES.items()) if minor <= newest]


def _kept(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    parts = Path(entry.name).parts
    if "__pycache__" in parts or entry.name.endswith(".pyc"):
        return None
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def _check(archive: Path) -> None:
    try:
        with tarfile.open(archive) as opened:
            names = {name.removeprefix("./") for name in opened.getnames()}
    except (OSError, tarfile.TarError) as error:
        raise BackendError(f"archive: {archive} is not a tar archive ({error}).") from error
    if "bin/python3" not in names:
        raise BackendError(f"archive: {archive} has no bin/python3 at its top; make it with conda-pack.")
