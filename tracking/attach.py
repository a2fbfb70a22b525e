"""Which run an entry point works on: the one that ``MLFLOW_RUN_ID`` names, or a new one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mlflow import MlflowClient, get_tracking_uri
from mlflow.entities import Run
from mlflow.tracking.context.registry import resolve_tags

from errors import StoreAwayError, TrackingError
from masking import shown
from tracking import store

Contradicted = Callable[[Mapping[str, str]], Sequence[str]]


class AnothersRunError(TrackingError):
    """The run to attach to holds what is not so now."""


def attach(client: MlflowClient, run_id: str, contradicted: Contradicted) -> Run:
    """Return the run `run_id`, running again; raise TrackingError where it is not there, or another command's."""
    try:
        with store.refusals(f"open the run {run_id}"):
            run = client.get_run(run_id)
            if differing := contradicted(run.data.params):
                raise AnothersRunError(
                    f"MLFLOW_RUN_ID names the run {run_id}, which is of another command: {'; '.join(differing)}. What "
                    "a run holds is never rewritten, so its record would be wrong. Unset MLFLOW_RUN_ID."
                )
            if run.info.status != "RUNNING":
                client.update_run(run_id, status="RUNNING")
            return run
    except (StoreAwayError, AnothersRunError):
        raise
    except TrackingError as error:
        raise TrackingError(
            f"MLFLOW_RUN_ID names the run {run_id}, which {shown(get_tracking_uri())} does not give, seen from"
            f" {Path.cwd()}: {store.first_line(error.__cause__ or error)}. A relative sqlite path means another file in"
            " another folder: set MLFLOW_TRACKING_URI to an absolute path or a server."
        ) from error


def create(client: MlflowClient, name: str) -> Run:
    """Make a run called `name`, in the experiment that MLflow's own variables name."""
    with store.refusals(f"create the run '{name}'"):
        tags = resolve_tags({"mlflow.source.name": Path(sys.argv[0]).name or name})
        return client.create_run(_experiment_id(client), tags=tags, run_name=name)


def _experiment_id(client: MlflowClient) -> str:
    """Return the experiment that MLflow's own variables name, made if need be; else MLflow's default one."""
    if given := os.environ.get("MLFLOW_EXPERIMENT_ID"):
        return given
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME")
    if not name:
        return "0"
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id if found else client.create_experiment(name))
