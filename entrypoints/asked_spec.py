"""The spec of a sweep: a file, or the one that an earlier sweep's run has kept.

A file is edited between two sweeps, so its path does not say what was asked. The sweep's run keeps the file as it was,
and ``runs:/RUN_ID/FILE`` asks for exactly that again; a card's command does.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from errors import SpecError, TrackingError
from tracking import EntryRun
from tuning import SweepSpec

_OF_A_RUN = "runs:/"


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
    with tempfile.TemporaryDirectory() as scratch:
        try:
            file = run.fetch_file(run_id, name, Path(scratch))
        except TrackingError as error:
            raise SpecError(f"-P space={space}: no run here has kept it. {error}") from error
        return _read(file, run)


def kept_as(space: str, run: EntryRun) -> str:
    """Return what names the spec of `run` for good, whatever `space` names by then."""
    return f"{_OF_A_RUN}{run.run_id}/{Path(space).name}"


def _read(file: Path, run: EntryRun) -> SweepSpec:
    spec = SweepSpec.load(file)
    run.log_file(file)
    return spec
