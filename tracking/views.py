"""Ready-made views in MLflow's own pages: a sweep's candidates as charts, and an experiment's sweeps as a list.

MLflow keeps the state behind a shared link as an experiment tag, ``mlflow.sharedViewState.KEY``, which a link names.
That is nowhere documented, so a test with a browser holds it, and the plain link to the run stands beside every such
link. The keys are those that MLflow 3.17 was seen to need.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mlflow import get_tracking_uri

from errors import TrackingError
from tracking import store
from tracking.children import KEY, PARENT, suffixes
from tracking.heading import KIND, SWEEP
from tracking.links import artifact_address, artifact_page, charts_page, list_page, run_page
from tracking.runs import EntryRun
from tuning.candidates import Candidate
from tuning.naming import Names
from tuning.spec.sweep_spec import SweepSpec

SHARED = "mlflow.sharedViewState."
SWEEPS = "gridfold-sweeps"
_VIEW_LIMIT = 5000
"""Characters that an experiment's tag may have on every server that we know; newer ones take more."""

_SECTIONS = {"PARALLEL": ("All parameters together", 1), "SCATTER": ("One at a time", 2)}
"""By kind of chart: what they are called together, and how many stand side by side."""

_COMPARED = 100
_NAME, _NAME_WIDTH, _METRIC_WIDTH = "attributes.`Run Name`", 420, 150
_DATE_AND_DURATION = ("runDateAndNestInfo", "duration")  # as the list itself calls them
_MOST_COLUMNS = 8
_OURS = {"deleted": False, "isGenerated": False}
_EMPTY: Mapping[str, Any] = {
    "startTime": "ALL",
    "lifecycleFilter": "Active",
    "modelVersionFilter": "All Runs",
    "datasetsFilter": [],
    "runsPinned": [],
    "runsHidden": [],
    "runsVisibilityMap": {},
    "runsHiddenMode": "SHOW_ALL",
    "columnOrder": [],
    "columnWidths": {},
    "groupsExpanded": {},
    "groupBy": None,
    "viewMaximized": False,
    "runListHidden": False,
    "isAccordionReordered": False,
    "useGroupedValuesInCharts": True,
    "hideEmptyCharts": True,
    "autoRefreshEnabled": True,
    "globalLineChartConfig": {"xAxisKey": "step", "lineSmoothness": 0, "selectedXAxisMetricKey": ""},
}


def open_views(run: EntryRun, spec: SweepSpec) -> str:
    """Keep both views for a sweep that begins, and return the key of the candidates'.

    Returns
    -------
    str
        Empty where the store keeps no views, or nobody knows whether its pages are those of MLflow.
    """
    if get_tracking_uri().startswith("databricks"):
        return ""
    metric = f"mean_test_{suffixes(spec.scorers)[spec.refit_scorer]}"
    try:
        show_candidates(run, metric, Names.of(spec.space, None).varied)
        show_sweeps(run, spec.scorers)
    except TrackingError:
        return ""
    return candidates_key(run)


def show_candidates(run: EntryRun, metric: str, varied: Sequence[str]) -> None:
    """Keep the view of a sweep's candidates, best first by `metric`, over the parameters that are `varied`.

    Raises
    ------
    TrackingError
    """
    _keep(run, candidates_key(run), _candidates(run.run_id, metric, varied))


def show_sweeps(run: EntryRun, scorers: Sequence[str]) -> None:
    """Keep the view of an experiment's sweeps, newest first, with their scores by these `scorers` and earlier ones.

    Raises
    ------
    TrackingError
    """
    known = _kept(run).get("selectedColumns", [])
    scores = [_metric(f"{what}_{name}") for name in scorers for what in ("best", "holdout")]
    kept = [column for column in known if column.startswith("metrics.`") and column not in {*scores, *_COUNTS}]
    columns = ["attributes.`Created`", "attributes.`Duration`", *scores, *kept, *_COUNTS]
    state = {
        **_EMPTY,
        "searchFilter": f"tags.`{KIND}` = '{SWEEP}'",
        "orderByKey": "attributes.start_time",
        "orderByAsc": False,
        "selectedColumns": columns,
        "columnOrder": [_NAME, *_DATE_AND_DURATION, *columns],
        "columnWidths": {_NAME: _NAME_WIDTH, **dict.fromkeys([*scores, *kept], _METRIC_WIDTH)},
        "runsExpanded": {},
        "compareRunSections": [],
        "compareRunCharts": [],
    }
    _keep(run, SWEEPS, state)


def candidates_key(run: EntryRun) -> str:
    """Return what names the view of a sweep's candidates: the head of its run's id."""
    return run.run_id[:8]


class Pages:
    """Where things of one sweep are in MLflow's pages, as addresses after the server's; empty where there is no page.

    Parameters
    ----------
    run : EntryRun
        The sweep's.
    view : str
        The key that ``open_views`` has returned.

    Attributes
    ----------
    charts, sweeps : str
        The views of the sweep's candidates and of the experiment's sweeps.
    findings : str
        Where codes of findings are explained; ``{}`` stands for one.
    """

    def __init__(self, run: EntryRun, view: str) -> None:
        self._run = run
        self.charts = charts_page(run, view) if view else ""
        self.sweeps = list_page(run, SWEEPS) if view else ""
        source = run.source_page("docs/findings.md")
        self.findings = source and f"{source}#{{}}"

    def set_note(self, markdown: str, lasting: bool = True) -> None:
        """Set the text that the sweep's page opens with."""
        self._run.set_note(markdown, lasting)

    def candidate(self, candidate: Candidate) -> str:
        """Return the page of a candidate's run."""
        sought = f"tags.`{PARENT}` = '{self._run.run_id}' and tags.`{KEY}` = '{candidate.key}'"
        with store.refusals("find a candidate's run"):
            found = self._run.client.search_runs([self._run.experiment_id], sought, max_results=1)
        return run_page(self._run, found[0].info.run_id) if found else ""

    def picture(self, path: str) -> str:
        """Return the address of the artifact `path` as a picture in a note has it."""
        return artifact_address(self._run, path)

    def artifact(self, path: str) -> str:
        """Return the page that shows the artifact `path`."""
        return artifact_page(self._run, path)


def _candidates(parent: str, metric: str, varied: Sequence[str]) -> dict[str, Any]:
    """Write the state of the charts; with many parameters as many of them as the tag has room for."""
    varied = list(varied)
    while len(_text(state := _with_charts(parent, metric, varied))) > _VIEW_LIMIT and len(varied) > 1:
        varied.pop()
    return state


def _with_charts(parent: str, metric: str, varied: Sequence[str]) -> dict[str, Any]:
    column = _metric(metric)
    std, seconds = _metric(metric.replace("mean_", "std_", 1)), _metric("mean_fit_time")
    columns = [column, std, *(f"params.`{name}`" for name in varied[:_MOST_COLUMNS]), seconds]
    scatters = [*(("PARAM", name) for name in varied), ("METRIC", "mean_fit_time")]
    charts: list[dict[str, Any]] = [
        {"type": "PARALLEL", "selectedParams": list(varied), "selectedMetrics": [metric], "showAllRuns": True},
        *(
            {
                "type": "SCATTER",
                "xaxis": {"key": name, "type": kind},
                "yaxis": {"key": metric, "type": "METRIC"},
            }
            for kind, name in scatters
        ),
    ]
    return {
        **_EMPTY,
        "searchFilter": f"tags.mlflow.parentRunId = '{parent}'",
        "orderByKey": column,
        "orderByAsc": False,
        "selectedColumns": columns,
        "runsExpanded": {parent: True},
        "compareRunSections": [
            {"uuid": kind, "name": name, "display": True, "isReordered": False, "columns": columns, **_OURS}
            for kind, (name, columns) in _SECTIONS.items()
        ],
        "compareRunCharts": [
            {"uuid": f"{place}", "metricSectionId": chart["type"], "runsCountToCompare": _COMPARED, **_OURS, **chart}
            for place, chart in enumerate(charts)
        ],
    }


def _keep(run: EntryRun, key: str, state: Mapping[str, Any]) -> None:
    with store.refusals("keep a view of the sweep"):
        run.client.set_experiment_tag(run.experiment_id, f"{SHARED}{key}", _text(state))


def _kept(run: EntryRun) -> dict[str, Any]:
    """Return the experiment's view of its sweeps as it is; empty where there is none that can be read."""
    with store.refusals("read the views of the experiment"):
        tags = run.client.get_experiment(run.experiment_id).tags
    try:
        state = json.loads(tags.get(f"{SHARED}{SWEEPS}", "{}"))
    except json.JSONDecodeError:
        return {}
    return state if isinstance(state, dict) else {}


def _text(state: Mapping[str, Any]) -> str:
    return json.dumps(state, separators=(",", ":"), ensure_ascii=False)


def _metric(name: str) -> str:
    return f"metrics.`{name}`"


_COUNTS = (_metric("candidates"), _metric("failed"))
