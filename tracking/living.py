"""Which runs are being worked on, and what becomes of those whose process is gone.

A killed process cannot end its run. So each entry point holds a file in the cache while it works on a run, and the next
that starts ends the runs whose files nobody holds any more, their candidates with them. Runs of machines with another
cache are left alone: whether their processes live cannot be told from here.
"""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from mlflow import MlflowClient, get_tracking_uri
from mlflow.exceptions import MlflowException

from cache import Cache
from cache.locks import HeldFile, is_held
from errors import TrackingError

NOTE = "mlflow.note.content"
GONE = "Its process is gone without a word: it was killed, or the machine went down."
_FOLDER = "live"
_FORGOTTEN_AFTER = 30 * 24 * 3600.0  # a store that nobody uses any more
_PAGE = 500


def hold(run_id: str, experiment_id: str) -> HeldFile | None:
    """Say that this process works on a run, until it is released; None where the cache cannot be written."""
    content = json.dumps({"run": run_id, "experiment": experiment_id, "store": _store()})
    with suppress(OSError):
        return HeldFile.take(_folder() / run_id, content)
    return None


def end_abandoned(client: MlflowClient) -> list[str]:
    """End the runs of this store whose processes are gone, and return their ids.

    What the store refuses is left for the next to try.
    """
    ended = []
    paths: list[Path] = []
    with suppress(OSError):  # a cache that cannot be
        paths = sorted(path for path in _folder().glob("*") if path.is_file())
    for path in paths:
        with suppress(OSError, ValueError, KeyError, TypeError, RecursionError, MlflowException, TrackingError):
            if is_held(path):
                continue
            if time.time() - path.stat().st_mtime > _FORGOTTEN_AFTER:
                path.unlink()
                continue
            known = json.loads(path.read_text(encoding="utf-8"))
            if known["store"] == _store():
                end(client, known["run"], known["experiment"])
                path.unlink()
                ended.append(known["run"])
    return ended


def end(client: MlflowClient, run_id: str, experiment_id: str, why: str = GONE) -> None:
    """End the candidates of a run, then the run, so that one who is interrupted here is followed by another."""
    try:
        status, tags = _status(client, run_id)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return
        raise
    while page := list(client.search_runs([experiment_id], open_under(run_id), max_results=_PAGE)):
        for child in page:
            client.set_terminated(child.info.run_id, "KILLED")
    if status == "RUNNING":
        note = tags.get(NOTE, "")
        client.set_tag(run_id, NOTE, f"{why}\n\n{note}" if note else why)
        client.set_terminated(run_id, "KILLED")


def open_under(run_id: str) -> str:
    """Return the search for the runs under a run that have not ended."""
    return f"tags.`mlflow.parentRunId` = '{run_id}' and attributes.status = 'RUNNING'"


def _status(client: MlflowClient, run_id: str) -> tuple[str, dict[str, Any]]:
    run = client.get_run(run_id)
    return run.info.status, dict(run.data.tags)


def _store() -> str:
    """Stand for the store; its address may hold a password."""
    return hashlib.sha256(get_tracking_uri().encode()).hexdigest()[:16]


def _folder() -> Path:
    return Cache.from_environment().root / _FOLDER
