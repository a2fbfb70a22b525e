"""The spec of a sweep: a file, or the one that an earlier sweep's run has kept.

A file is edited between two sweeps, so its path does not say what was asked. The sweep's run keeps the file as it was,
and ``runs:/RUN_ID/FILE`` asks for exactly that again; a card's command does. The user's own modules that the spec names
are kept and fetched with it; but where the project's folder has modules of these names, those are meant.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from cache import process_folder
from errors import SpecError, TrackingError
from tracking import EntryRun
from tuning import SweepSpec
from tuning.spec.modules import local_modules

_OF_A_RUN = "runs:/"
_MODULES = "modules"


def asked_spec(space: str, run: EntryRun) -> SweepSpec:
    """Read the spec that `space` names, and keep its file with `run`.

    Raises
    ------
    SpecError
        The file, or the run that is to have it, is missing, or the spec is wrong.
    """
    if not space.startswith(_OF_A_RUN):
        return _read(Path(os.path.expanduser(space)), run)
    run_id, _, name = space.removeprefix(_OF_A_RUN).partition("/")
    if not name:
        raise SpecError(f"-P space={space}: expected runs:/RUN_ID/FILE, such as runs:/{run_id or 'RUN_ID'}/quick.yaml.")
    try:
        return _read(_fetched(run_id, name, run), run)
    except TrackingError as error:
        raise SpecError(f"-P space={space}: no run here has kept it. {error}") from error


def kept_as(space: str, run: EntryRun) -> str:
    """Return what names the spec of `run` for good, whatever `space` names by then."""
    return f"{_OF_A_RUN}{run.run_id}/{Path(space).name}"


def _fetched(run_id: str, name: str, run: EntryRun) -> Path:
    """Fetch a spec and its modules into one folder, which lasts as long as this process: it may import them late."""
    scratch = process_folder("gridfold-spec-")
    file = run.fetch_file(run_id, name, scratch)
    if run.has_artifact(run_id, _MODULES):
        shutil.copytree(run.fetch_file(run_id, _MODULES, scratch), file.parent, dirs_exist_ok=True)
    return file


def _read(file: Path, run: EntryRun) -> SweepSpec:
    spec = SweepSpec.load(file)
    run.log_file(file)
    for place in local_modules(spec.model_dump()):
        _keep(place, run)
    return spec


def _keep(place: Path, run: EntryRun) -> None:
    """Keep a module's file, or a package's folder but for what Python has compiled in it."""
    files = [place] if place.is_file() else [path for path in sorted(place.rglob("*")) if path.is_file()]
    for file in files:
        if "__pycache__" not in file.parts:
            run.log_file(file, (Path(_MODULES) / file.relative_to(place.parent).parent).as_posix())
