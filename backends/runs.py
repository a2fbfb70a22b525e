"""The MLflow runs of a job that may have had no time to end them itself."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from mlflow.entities import RunStatus
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from backends.job import Ending
from masking import masked

_NOTE = "mlflow.note.content"
_PARENT = "mlflow.parentRunId"


def settle(client: MlflowClient, run_id: str, status: str, line: str = "") -> None:
    """End a run, and the runs nested under it, as its job has ended.

    What the job has said itself stands, unless it claims a success that its exit contradicts.

    Parameters
    ----------
    run_id : str
        The run that the job logged to.
    status : str
        FINISHED, FAILED or KILLED.
    line : str
        Why, for a run that did not succeed; its note.
    """
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # else two lines for each candidate
    run = client.get_run(run_id)
    for child in _running_children(client, run):
        client.set_terminated(child.info.run_id, "KILLED" if status == "KILLED" else "FAILED")
    said = run.info.status
    if RunStatus.is_terminated(RunStatus.from_string(said)) and (said != "FINISHED" or status == "FINISHED"):
        return
    if line:
        client.set_tag(run_id, _NOTE, line)
    client.set_terminated(run_id, status)


def settle_as(client: MlflowClient, run_id: str, ending: Ending) -> None:
    """End a run, and the runs nested under it, by how its job has ended."""
    settle(client, run_id, "FAILED" if ending.exit_code else "FINISHED", masked(ending.reason))


def settle_unfollowed(run_id: str, ending: Ending) -> None:
    """End the run of a job that nobody has followed to its end, if the present store has that run."""
    if ending.is_gone:
        return
    with suppress(MlflowException):
        settle_as(MlflowClient(), run_id, ending)


def _running_children(client: MlflowClient, run: Any) -> list[Any]:
    found = client.search_runs(
        [run.info.experiment_id],
        filter_string=f"tags.`{_PARENT}` = '{run.info.run_id}' and attributes.status = 'RUNNING'",
        max_results=50_000,
    )
    return list(found)
