"""The tracking store's edges: how to reach it, what it refuses, and how long its values may be.

Everything in this room talks to MLflow through one ``MlflowClient`` and in batches. We do not use the fluent API: it
keeps the "active run" in process-wide state, which threads and nested runs fight over, and it costs a request a value.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mlflow import MlflowClient, get_tracking_uri
from mlflow.entities import Metric, Param, RunTag
from mlflow.utils.time import get_current_time_millis

from errors import GridfoldError, TrackingError
from masking import masked, shown
from tracking.client import patient
from tracking.faults import fault_of
from tracking.patience import Patience, own_waits
from tracking.tables import made_by_one

PARAM_LIMIT = 6000
TAG_LIMIT = 5000
_LINE_LIMIT = 300


def connect(whole_process: bool = True) -> MlflowClient:
    """Return a patient client of the store at ``MLFLOW_TRACKING_URI`` (or MLflow's default), and no chatter.

    Parameters
    ----------
    whole_process : bool
        Whether this process is ours, so that MLflow's own waits may be set for all of it.

    Raises
    ------
    TrackingError
        The store cannot be opened.
    """
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # else a request and two lines a child
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # one bar for every file, however small
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # logs a traceback, then raises it as well
    logging.getLogger("alembic").setLevel(logging.WARNING)
    if whole_process:
        own_waits()
    uri = get_tracking_uri()
    patience = Patience("the tracking server" if uri.startswith("http") else "the tracking store")
    with refusals("open the tracking store"):
        return patient(patience.until_done(lambda: _open(uri)), patience)


def _open(uri: str) -> MlflowClient:
    with made_by_one(uri):
        return MlflowClient(uri)


@contextmanager
def refusals(doing: str) -> Iterator[None]:
    """Turn what the store says no with into one line: what we were `doing`, the reason, and what to do.

    Raises
    ------
    TrackingError
        The store, the registry or the artifact store refused or cannot be reached.
    """
    try:
        yield
    except GridfoldError:
        raise
    except Exception as error:
        fault = fault_of(error)
        if fault is None:
            raise
        raise TrackingError(f"MLflow refused to {doing}: {first_line(error)}. {fault.cure}".rstrip()) from error


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, cut to what a terminal line bears and without credentials."""
    lines = masked(str(error).strip()).splitlines() or [type(error).__name__]
    line = lines[0] if len(lines[0]) <= _LINE_LIMIT else lines[0][:_LINE_LIMIT] + "…"
    return line.rstrip(".")


def text(value: Any, limit: int = PARAM_LIMIT) -> str:
    """Return `value` as MLflow keeps it, without secrets.

    Where it is too long, that is its head and a digest: two long values still differ.
    """
    whole = shown(json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, dict | list) else str(value))
    if len(whole) <= limit:
        return whole
    digest = hashlib.sha256(whole.encode()).hexdigest()[:12]
    tail = f"… ({len(whole):,} characters, sha256 {digest})"
    return whole[: limit - len(tail)] + tail


def as_params(params: Mapping[str, Any]) -> list[Param]:
    """Return `params` as a batch."""
    return [Param(name, text(value)) for name, value in params.items()]


def as_metrics(metrics: Mapping[str, float], step: int = 0) -> list[Metric]:
    """Return `metrics` as a batch, stamped now."""
    now = get_current_time_millis()
    return [Metric(name, float(value), now, step) for name, value in metrics.items()]


def as_tags(tags: Mapping[str, Any]) -> list[RunTag]:
    """Return `tags` as a batch."""
    return [RunTag(name, text(value, TAG_LIMIT)) for name, value in tags.items()]
