"""What a list of runs tells by their names alone."""

import pytest

from errors import GridfoldError
from tests.tracking.outcomes import SPEC
from tracking import EntryRun, report
from tracking.heading import mark_plan, mark_sweep, title

LONG = [{"scale": "sklearn.preprocessing.StandardScaler"}, {"few": "sklearn.decomposition.PCA"}, {"fit": "a.Forest"}]


def test_a_title_says_what_is_swept_how_and_over_what():
    assert title(SPEC, "demographics") == "XGBClassifier 4 grid demographics"
    drawn = SPEC.model_copy(update={"estimator": LONG, "budget": SPEC.budget.model_copy(update={"max_candidates": 2})})
    assert title(drawn) == "Forest 2 grid"


def test_a_sweeps_name_says_how_it_ended(client, four):
    with EntryRun.begin("sweep") as run:
        mark_sweep(run, SPEC, "demographics")
        assert client.get_run(run.run_id).info.run_name == "XGBClassifier 4 grid demographics"
        report.log_result(run, SPEC, four)
    assert client.get_run(run.run_id).info.run_name == "XGBClassifier 4 grid demographics -2.1"
    assert client.get_run(run.run_id).data.tags["gridfold.kind"] == "sweep"


@pytest.mark.parametrize(("error", "word"), [(KeyboardInterrupt(), "interrupted"), (GridfoldError("no"), "failed")])
def test_a_sweep_without_an_end_says_so(client, error, word):
    run = EntryRun.begin("sweep")
    mark_sweep(run, SPEC)
    with pytest.raises(type(error)), run:
        raise error
    assert client.get_run(run.run_id).info.run_name == f"XGBClassifier 4 grid, {word}"


def test_a_plan_is_no_sweep(client):
    with EntryRun.begin("sweep") as run:
        mark_plan(run, SPEC, "demographics")
    found = client.get_run(run.run_id)
    assert found.info.run_name == "plan: XGBClassifier 4 grid demographics"
    assert found.data.tags["gridfold.kind"] == "plan"


def test_a_persons_own_name_stays(client, four, monkeypatch):
    made = client.create_run(client.get_experiment_by_name("tests").experiment_id, run_name="mine")
    monkeypatch.setenv("MLFLOW_RUN_ID", made.info.run_id)
    with EntryRun.begin("sweep") as run:
        mark_sweep(run, SPEC)
        report.log_result(run, SPEC, four)
    assert client.get_run(run.run_id).info.run_name == "mine"
