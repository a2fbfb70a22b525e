"""Runs that ``mlflow run`` made and was killed before anything began to work on them.

MLflow makes the run first, then starts our process, which holds a file while it works (``tracking.living``). Killed
before that, MLflow leaves a run RUNNING that nobody has ever held. The next ``mlflow run`` of the same project
ends it. Nothing on such a run says which machine it is of: so it is ended at once only where the store is a file of
this machine, and no ``mlflow run`` here may be about to start something for it: one that is as old as the run, has not
started anything for another run, and is not known to have another store. On a server it is ended after a day.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil
from mlflow import MlflowClient, get_tracking_uri
from mlflow.entities import Run

from cache.local import is_a_file

NEVER_BEGUN = "MLflow made this run, and was killed before anything was begun on it."
DRAWN_NAME = re.compile(
    r"[a-z]+-[a-z]+-\d+"
)  # kindly-midge-434: nobody has named the run, and no process of ours begun
_TYPE, _SOURCE, _BACKEND = "mlflow.source.type", "mlflow.source.name", "mlflow.project.backend"
_LONG_AGO = 24 * 3600.0
_CLOCKS = 2.0  # seconds that the start of a process, as the kernel counts it, may be off
_PAGE = 500


def unstarted(client: MlflowClient, own: Run) -> list[str]:
    """Return the ids of the runs of the same project and person as `own` that nothing was ever started for.

    Empty where ``mlflow run`` has not made `own`.
    """
    tags = own.data.tags
    if tags.get(_TYPE) != "PROJECT" or "'" in tags.get(_SOURCE, "'"):
        return []
    wanted = f"attributes.status = 'RUNNING' and tags.`{_TYPE}` = 'PROJECT' and tags.`{_SOURCE}` = '{tags[_SOURCE]}'"
    found = client.search_runs([own.info.experiment_id], wanted, max_results=_PAGE)
    suspects = [run for run in found if run.info.run_id != own.info.run_id and _is_untouched(run, own)]
    if not suspects:
        return []
    if not is_a_file(get_tracking_uri()):
        return [run.info.run_id for run in suspects if _age(run) > _LONG_AGO]
    others = list(_others())
    working = {_run_of(process) for process in others}
    oldest = min((process.create_time() for process in others if _may_yet_start(process)), default=float("inf"))
    return [
        run.info.run_id
        for run in suspects
        if run.info.run_id not in working and run.info.start_time / 1000 < oldest - _CLOCKS
    ]


def _is_untouched(run: Run, own: Run) -> bool:
    tags = run.data.tags
    same = tags.get("mlflow.user") == own.data.tags.get("mlflow.user")
    here = tags.get(_BACKEND, "local") == "local"
    return same and here and DRAWN_NAME.fullmatch(run.info.run_name or "") is not None


def _age(run: Run) -> float:
    return time.time() - float(run.info.start_time) / 1000


def _others() -> Iterator[psutil.Process]:
    """Yield the processes of this machine, but for this one and those that it comes from."""
    ours = {os.getpid()}
    with suppress(psutil.Error):
        ours |= {each.pid for each in psutil.Process().parents()}
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid not in ours and process.status() != psutil.STATUS_ZOMBIE:
                yield process


def _run_of(process: psutil.Process) -> str:
    """Return the run that a process was told to work on; empty where that is none, or not to be known."""
    return _variable(process, "MLFLOW_RUN_ID")


def _may_yet_start(process: psutil.Process) -> bool:
    """Whether it is an ``mlflow run`` of this store, for all that can be known, that has started nothing so far.

    One that has started something has made the one run that it makes, and that is the run which it has told.
    """
    with suppress(psutil.Error):
        words = process.cmdline()
        if "run" not in words or not any("mlflow" in word for word in words):
            return False
        if {_run_of(child) for child in process.children(recursive=True)} - {"", _run_of(process)}:
            return False
        theirs, ours = _variable(process, "MLFLOW_TRACKING_URI"), get_tracking_uri()
        return theirs == ours or not (_is_absolute(theirs) and _is_absolute(ours))
    return False  # it has ended meanwhile


def _variable(process: psutil.Process, name: str) -> str:
    with suppress(psutil.Error):
        return str(process.environ().get(name, ""))
    return ""


def _is_absolute(store: str) -> bool:
    """Whether the same store, written as plainly, would be written the same way from every folder."""
    return store.startswith(("http://", "https://", "sqlite:////", "file:///", "/"))
