"""Addresses of MLflow's pages for a sweep.

``workflowType=machine_learning`` belongs on every one: without it MLflow 3.17 opens its pages for generative AI.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

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


def page_of(run: EntryRun, file: str) -> str:
    """Return the address of what `run` has kept as `file`."""
    base, _ = _base()
    return f"{base}/{artifact_page(run, file)}"


def links_of(run: EntryRun, view: str = "") -> Links:
    """Return the addresses for the sweep of `run`.

    Parameters
    ----------
    run : EntryRun
    view : str
        The key of a chart view that is kept with the experiment; empty for none.
    """
    base, server = _base()
    charts = f"{base}/{charts_page(run, view)}" if view else ""
    return Links(server, charts, f"{base}/{run_page(run)}", f"{base}/{artifact_page(run, REPORT_FILE)}")


def charts_page(run: EntryRun, view: str) -> str:
    """Return the address, after the server's, of the chart view `view` of the experiment of `run`."""
    return f"{_experiment(run)}?{_KIND}&compareRunsMode=CHART&viewStateShareKey={view}"


def list_page(run: EntryRun, view: str) -> str:
    """Return the address, after the server's, of the view `view` of the experiment of `run`, as a list of runs."""
    return f"{_experiment(run)}?{_KIND}&viewStateShareKey={view}"


def run_page(run: EntryRun, run_id: str = "") -> str:
    """Return the address, after the server's, of `run`, or of another run in its experiment."""
    return f"{_experiment(run)}/{run_id or run.run_id}?{_KIND}"


def artifact_page(run: EntryRun, path: str) -> str:
    """Return the address, after the server's, of the page that shows an artifact of `run`."""
    return f"{_experiment(run)}/{run.run_id}/artifacts/{quote(path)}?{_KIND}"


def artifact_address(run: EntryRun, path: str) -> str:
    """Return the address of an artifact itself, relative to the server's pages, as a picture in a note needs it."""
    return f"get-artifact?path={quote(path)}&run_uuid={run.run_id}"


def _experiment(run: EntryRun) -> str:
    return f"#/experiments/{run.experiment_id}/runs"


def _base() -> tuple[str, str]:
    """Where the pages are, and what makes them be there."""
    uri = get_tracking_uri()
    if uri.startswith(("http://", "https://")):
        return shown(uri).rstrip("/"), ""
    if uri.startswith("databricks"):
        return f"({uri})", ""
    return _LOCAL, f"mlflow ui --backend-store-uri {shown(uri)}"
