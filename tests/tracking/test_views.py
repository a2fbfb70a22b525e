"""Views that open ready made: what is kept, and what a browser shows of it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from tests.services import browser as browser_service
from tests.tracking.outcomes import SPEC
from tracking import EntryRun, SweepRecorder
from tracking.children import ChildRuns
from tracking.heading import mark_plan, mark_score, mark_sweep
from tracking.links import charts_page, list_page, run_page
from tracking.views import SWEEPS, Pages, candidates_key, open_views
from tuning.naming import Names
from tuning.results.fold_score import FoldScore

CHARTS = "mlflow.sharedViewState.{}"


def state(client: MlflowClient, run: EntryRun, key: str) -> dict:
    return json.loads(client.get_experiment(run.experiment_id).tags[CHARTS.format(key)])


def test_the_charts_are_there_before_the_first_candidate(client):
    with EntryRun.begin("sweep") as run:
        assert open_views(run, SPEC) == run.run_id[:8]
    kept = state(client, run, run.run_id[:8])
    assert kept["searchFilter"] == f"tags.mlflow.parentRunId = '{run.run_id}'"
    assert (kept["orderByKey"], kept["orderByAsc"]) == ("metrics.`mean_test_score`", False)
    assert [chart["type"] for chart in kept["compareRunCharts"]] == ["PARALLEL", "SCATTER", "SCATTER", "SCATTER"]
    assert kept["compareRunCharts"][0]["selectedParams"] == ["n_estimators", "max_depth"]


def test_a_view_of_many_parameters_fits_into_a_tag(client):
    grid = {f"a_parameter_with_a_long_name_{number}": [0, 1] for number in range(40)}
    spec = SPEC.model_copy(update={"grid": grid})
    with EntryRun.begin("sweep") as run:
        open_views(run, spec)
    text = client.get_experiment(run.experiment_id).tags[CHARTS.format(run.run_id[:8])]
    assert len(text) <= 5000
    assert len(json.loads(text)["compareRunCharts"]) > 3


def test_the_list_of_sweeps_has_the_scores_of_earlier_ones_too(client):
    for scorer in ("neg_log_loss", "accuracy", "accuracy"):
        with EntryRun.begin("sweep") as run:
            open_views(run, SPEC.model_copy(update={"scoring": scorer}))
    columns = state(client, run, "gridfold-sweeps")["selectedColumns"]
    assert columns[:2] == ["attributes.`Created`", "attributes.`Duration`"]
    scorers = ("accuracy", "neg_log_loss")
    of_scores = [f"metrics.`{what}_{scorer}`" for scorer in scorers for what in ("best", "holdout")]
    assert columns[2:-2] == of_scores


def test_where_the_store_keeps_no_views_no_page_leads_there(client, monkeypatch):
    def refuse(*_: object) -> None:
        raise MlflowException("not allowed")

    monkeypatch.setattr(MlflowClient, "set_experiment_tag", refuse)
    with EntryRun.begin("sweep") as run:
        assert open_views(run, SPEC) == ""
        assert (Pages(run, "").charts, Pages(run, "").sweeps) == ("", "")


def test_a_candidate_is_found_by_what_it_is(client, four):
    with EntryRun.begin("sweep") as run, SweepRecorder(run) as recorder:
        pages = Pages(run, open_views(run, SPEC))
        assert pages.candidate(four.candidates[0]) == ""
        recorder.started(SPEC, 4, 2)
        recorder.scored(list(four.fold_scores[four.candidates[0]]))
        recorder.ended(four)
    [child] = client.search_runs([run.experiment_id], "tags.`gridfold.kind` = 'candidate'")
    assert pages.candidate(four.candidates[0]) == run_page(run, child.info.run_id)


# --- what a browser with a fresh profile shows ------------------------------------------------------------------------

N_CANDIDATES = 100
"""As many as the charts compare."""

GRID = {"max_depth": [3, 4, 5, 6, 7], "learning_rate": [k / 100 for k in range(1, 11)], "booster": ["a", "b"]}
WIDE = SPEC.model_copy(update={"grid": GRID})


@pytest.fixture(scope="module")
def watched(server: str) -> Iterator[EntryRun]:
    """A sweep of a hundred candidates on a server, of which the last scores best, beside a plan."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_NAME"):
            patch.delenv(name, raising=False)
        patch.setenv("MLFLOW_TRACKING_URI", server)
        patch.setenv("MLFLOW_EXPERIMENT_ID", MlflowClient(server).create_experiment("watched"))
        with EntryRun.begin("sweep") as planned:
            mark_plan(planned, WIDE, "demographics")
        with EntryRun.begin("sweep") as run:
            mark_sweep(run, WIDE, "demographics")
            open_views(run, WIDE)
            children = ChildRuns(run, WIDE.fixed, WIDE.scorers, n_folds=1)
            names = Names.of(WIDE.space, N_CANDIDATES)
            for number, candidate in enumerate(WIDE.space.all(), start=1):
                children.record(names.named(candidate), [FoldScore(candidate, 0, {"neg_log_loss": number - 200.0})])
            run.log_metrics({"best_neg_log_loss": -100.0})
            mark_score(run, -100.0)
        yield run


def opened(browser, server: str, page: str):
    """Open a page of the server, and wait until its runs are listed."""
    browser_service.resize(browser, 1500, 1100)
    browser.get("about:blank")
    browser.get(f"{server}/{page}")
    browser_service.wait_for(browser, ".ag-row a[href*='/runs/']")
    return browser


def listed(browser) -> list[str]:
    """The names of the runs that are in view, from the top."""
    script = """
        const rows = [...document.querySelectorAll(".ag-row")].filter(row => row.querySelector("a[href*='/runs/']"));
        rows.sort((one, other) => one.getAttribute("row-index") - other.getAttribute("row-index"));
        return rows.map(row => row.querySelector("a[href*='/runs/']").textContent);
    """
    return browser.execute_script(script)


def texts(browser, selector: str) -> list[str]:
    return browser.execute_script(f"return [...document.querySelectorAll({selector!r})].map(each => each.textContent)")


def test_the_charts_open_with_the_candidates_best_first_and_each_parameter(browser, server, watched):
    page = opened(browser, server, charts_page(watched, candidates_key(watched)))
    assert listed(page)[:3] == [
        "#100 max_depth=7 learning_rate=0.1 booster=b",
        "#099 max_depth=6 learning_rate=0.1 booster=b",
        "#098 max_depth=5 learning_rate=0.1 booster=b",
    ]
    assert "100" in page.find_element("tag name", "body").text.split("matching runs")[0].split()[-1]
    axes = browser_service.wait_for(page, lambda page: texts(page, ".parcoords text.label"))
    assert axes == ["max_depth", "learning_rate", "booster", "mean_test_score"]
    browser_service.resize(page, 1500, 3000)  # charts are drawn when they come into view
    points = browser_service.wait_for(page, lambda page: points_of(page, 4))
    assert points == [N_CANDIDATES] * 4
    cards = " ".join(texts(page, "[data-testid='experiment-view-compare-runs-card']"))
    for name in (*GRID, "mean_fit_time"):
        assert f"{name} vs. mean_test_score" in cards


def points_of(browser, n_charts: int) -> list[int]:
    """How many points each scatter has, once all are there."""
    script = (
        "return [...document.querySelectorAll('.scatterlayer')].map(each => each.querySelectorAll('.point').length)"
    )
    found = browser.execute_script(script)
    return found if len(found) == n_charts and all(found) else []


def test_the_list_of_sweeps_has_neither_candidates_nor_plans_and_tells_the_score(browser, server, watched):
    page = opened(browser, server, list_page(watched, SWEEPS))
    assert listed(page) == ["XGBClassifier 100 grid demographics -100"]
    headers = texts(page, ".ag-header-cell-text, [data-testid^='sort-header']")
    assert {"Run Name", "Created", "Duration", "best_neg_log_loss"} <= set(headers)
