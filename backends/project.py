"""Which files make the project that a backend sends: what git tracks or would track, and never data, runs or keys.

New files go along, since a spec or a module that was written a minute ago is what the sweep is about. So does a note
that lies in the folder: how many there are is said, and ``.gridfoldignore`` keeps files here, tracked or not.

We ask git itself instead of reading ``.gitignore``: the rules of nested, global and excluded patterns are its own. A
folder that is no repository is asked about through an empty repository made for the moment, so its ``.gitignore`` holds
there as well.
"""

from __future__ import annotations

import io
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from backends.failures import BackendError
from masking import visible

# Never shipped, even where git tracks them: what a run makes, and what opens other doors.
# A name that begins with a slash counts in the project's top folder only.
_NEVER = (
    "/data", "mlruns", "mlartifacts", "mlflow.db*", ".cache", ".git", ".venv", "__pycache__", "*.pyc",
    ".env", ".env.*", "*.pem", "*.key", "*.ppk", "*.pfx", "*.p12", "id_rsa*", "id_ed25519*", "id_ecdsa*",
    ".ssh", ".aws", ".azure", ".netrc", ".databrickscfg", "*credentials*.json",
)  # fmt: skip
_LARGEST = 100 * 2**20
_KEPT_HERE = ".gridfoldignore"  # patterns as in .gitignore, of files that are not sent
_NAMED = 3


@dataclass(frozen=True)
class Project:
    """The files of a project folder, relative to it and sorted; `untracked` are those that git does not track."""

    folder: Path
    files: tuple[PurePosixPath, ...]
    untracked: tuple[PurePosixPath, ...] = ()

    @property
    def summary(self) -> str:
        """How much is sent, and what of it the repository does not have: ``412 files (3.1 MiB), of which ...``."""
        size = sum((self.folder / name).stat().st_size for name in self.files)
        said = f"{len(self.files):,} files ({size / 2**20:.1f} MiB)"
        if not self.untracked:
            return said
        names = ", ".join(visible(str(name)) for name in self.untracked[:_NAMED])
        more = f" and {len(self.untracked) - _NAMED:,} more" if len(self.untracked) > _NAMED else ""
        return f"{said}, of which {len(self.untracked):,} that git does not track: {names}{more}"


def find(folder: Path) -> Project:
    """Return the project in `folder`.

    Raises
    ------
    BackendError
        git is not installed, or the files are too many bytes to be code.
    """
    listed, tracked = _git_files(folder)
    names = sorted(PurePosixPath(name) for name in listed)
    files = [name for name in names if not _never(name) and _is_inside(folder, folder / name)]
    sizes = {name: (folder / name).stat().st_size for name in files}
    if sum(sizes.values()) > _LARGEST:
        largest = max(files, key=lambda name: sizes[name])
        raise BackendError(
            f"{folder}: the project's files are {sum(sizes.values()) / 2**20:,.0f} MiB, of which {largest} is "
            f"{sizes[largest] / 2**20:,.0f} MiB. Only code is copied: put data in .gitignore, or in {_KEPT_HERE}."
        )
    return Project(folder, tuple(files), tuple(name for name in files if str(name) not in tracked))


def check_spec(project: Project, space: str) -> None:
    """See that the spec, and modules of the user's own that lie beside it or at the top, are among the files to ship.

    Parameters
    ----------
    project : Project
    space : str
        As the entry point takes it. What is not a file on this machine is left to the other one to find.

    Raises
    ------
    BackendError
        It is not, so the job would miss it over there.
    """
    spec = project.folder / Path(space).expanduser()
    if not space or not spec.is_file():
        return
    advice = f"A job has the files of the project's folder that neither .gitignore nor {_KEPT_HERE} leaves out"
    if not spec.resolve().is_relative_to(project.folder.resolve()):
        raise BackendError(
            f"-P space={space}: lies outside the project's folder {project.folder}. {advice}: copy the spec into it, "
            "with the modules that it names."
        )
    shipped = {(project.folder / name).resolve() for name in project.files}
    for path in (spec, *_modules_named_in(spec, project.folder)):
        if path.resolve() not in shipped:
            raise BackendError(f"-P space={space}: {path} would not be sent. {advice}: take it out of them.")


def _modules_named_in(spec: Path, folder: Path) -> list[Path]:
    """Find what may be modules by the names at the top of dotted paths; reading the spec whole would import them."""
    tops = sorted(set(re.findall(r"(?<![\w.])([A-Za-z_]\w*)\.[A-Za-z_]", spec.read_text("utf-8", errors="replace"))))
    places = [
        place / name for place in (spec.parent, folder) for top in tops for name in (f"{top}.py", f"{top}/__init__.py")
    ]
    return [place for place in places if place.is_file()]


def archive(parts: Iterable[tuple[str, bytes | Path]]) -> bytes:
    """Pack files into a tar that unpacks as root's, readable by all and writable by no one else.

    The same parts give the same bytes: what a file's times and owner are is not kept.

    Parameters
    ----------
    parts : iterable of (str, bytes or Path)
        The name in the archive, and the content or the file that has it.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in parts:
            entry = tarfile.TarInfo(name)
            executable = isinstance(content, Path) and content.stat().st_mode & 0o100
            entry.mode = 0o755 if executable else 0o644
            data = content.read_bytes() if isinstance(content, Path) else content
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _git_files(folder: Path) -> tuple[set[str], set[str]]:
    """Return the files to send, and those that git tracks."""
    if _git(folder, "rev-parse", "--is-inside-work-tree").returncode == 0:
        return _to_send(folder)
    with tempfile.TemporaryDirectory() as empty:
        _git(folder, "init", "--quiet", "--bare", empty)
        return _to_send(folder, f"--git-dir={empty}", f"--work-tree={folder}")


def _to_send(folder: Path, *repository: str) -> tuple[set[str], set[str]]:
    tracked = _listed(folder, repository, "--cached")
    files = tracked | _listed(folder, repository, "--others", "--exclude-standard")
    if (folder / _KEPT_HERE).is_file():
        # Not --exclude-from: its patterns count from the repository's top, which need not be the project's.
        by = f"--exclude-per-directory={_KEPT_HERE}"
        files -= _listed(folder, repository, "--cached", "--others", "--ignored", by)
    return files, tracked


def _listed(folder: Path, repository: Iterable[str], *which: str) -> set[str]:
    answer = _git(folder, *repository, "ls-files", "-z", *which)
    if answer.returncode != 0:
        raise BackendError(f"{folder}: git cannot list the project's files: {answer.stderr.decode().strip()}")
    return {name for name in answer.stdout.decode().split("\0") if name}


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = ["git", "-c", "safe.directory=*", *arguments]
    try:
        return subprocess.run(command, cwd=folder, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise BackendError("git is not installed; it tells which files make the project. Install git.") from error


def _never(name: PurePosixPath) -> bool:
    parts = (f"/{name.parts[0]}", *name.parts)
    return any(fnmatch(part, pattern) for part in parts for pattern in _NEVER)


def _is_inside(folder: Path, path: Path) -> bool:
    """Whether `path` is a file (not deleted, no submodule) whose content lies in `folder`."""
    return path.is_file() and path.resolve().is_relative_to(folder.resolve())
