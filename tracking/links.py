"""Addresses of MLflow's pages for a sweep.

``workflowType=machine_learning`` belongs on every one: without it MLflow 3.17 opens its pages for generative AI.
"""

from __future__ import annotations

from dataclasses import dataclass

from mlflow import get_tracking_uri

from masking import shown
from tracking.runs import EntryRun

_LOCAL = "http://127.0.0.1:5000"
_KIND = "workflowType=machine_learning"
REPORT_FILE = "report.html"


@dataclass(frozen=True)
class Links:
    """Where to look at a sweep.

    Attributes
    ----------
    server : str
        The command that starts a server for a store on this machine; empty where there is one.
    charts : str
        The candidates in MLflow's chart view; empty where there is none.
    run : str
        The sweep's own page.
    report : str
        The report among the run's artifacts.
    """

    server: str
    charts: str
    run: str
    report: str


def links_of(run: EntryRun, view: str = "") -> Links:
    """Return the addresses for the sweep of `run`.

    Parameters
    ----------
    run : EntryRun
    view : str
        The key of a chart view that is kept with the experiment; empty for none.
    """
    uri = get_tracking_uri()
    base = shown(uri).rstrip("/") if uri.startswith(("http://", "https://")) else _LOCAL
    server = "" if base != _LOCAL or uri.startswith("http") else f"mlflow ui --backend-store-uri {shown(uri)}"
    if uri.startswith("databricks"):
        base, server = f"({uri})", ""
    experiment = f"{base}/#/experiments/{run.experiment_id}/runs"
    charts = f"{experiment}?{_KIND}&compareRunsMode=CHART&viewStateShareKey={view}" if view else ""
    page = f"{experiment}/{run.run_id}"
    return Links(server, charts, f"{page}?{_KIND}", f"{page}/artifacts/{REPORT_FILE}?{_KIND}")
