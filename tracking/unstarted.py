"""Runs that ``mlflow run`` made and was killed before it started anything to work on them.

MLflow makes the run first, then starts our process, which holds a file while it works (``tracking.living``). Killed in
between, MLflow leaves a run RUNNING that no process of ours has ever seen. The next ``mlflow run`` of the same project
ends it. Nothing on such a run says which machine it is of: so it is ended at once only where the store is a file of
this machine and no ``mlflow run`` here is as old as it; on a server it is ended after a day.
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

NEVER_BEGUN = "MLflow made this run, and was killed before anything was started for it."
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
    began = list(_others_at_work())
    working = {run_id for _, run_id in began}
    oldest = min((when for when, _ in began), default=float("inf"))
    return [
        run.info.run_id
        for run in suspects
        if run.info.run_id not in working and run.info.start_time / 1000 < oldest - _CLOCKS
    ]


def _is_untouched(run: Run, own: Run) -> bool:
    tags = run.data.tags
    same = tags.get("mlflow.user") == own.data.tags.get("mlflow.user")
    return same and _BACKEND not in tags and DRAWN_NAME.fullmatch(run.info.run_name or "") is not None


def _age(run: Run) -> float:
    return time.time() - float(run.info.start_time) / 1000


def _others_at_work() -> Iterator[tuple[float, str]]:
    """Yield when each process began that may work on a run, and the run's id if it has been told one.

    Those are ``mlflow run`` itself and what it has started; the ones that this process comes from do not count.
    """
    ours = {os.getpid()}
    with suppress(psutil.Error):
        ours |= {each.pid for each in psutil.Process().parents()}
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid in ours or process.status() == psutil.STATUS_ZOMBIE:
                continue
            words = process.cmdline()
            if "run" in words and any("mlflow" in word for word in words):
                yield process.create_time(), ""
            with suppress(psutil.AccessDenied):
                if run_id := process.environ().get("MLFLOW_RUN_ID"):
                    yield process.create_time(), run_id
