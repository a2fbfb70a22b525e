"""Children as a sweep leaves them, and as another process sees them while it runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy
from mlflow import MlflowClient

from errors import TrackingError
from tests.tracking.outcomes import SPEC, outcome
from tracking import EntryRun, SweepRecorder
from tracking.children import ChildRuns
from tuning.candidates import Candidate
from tuning.results.fold_score import FoldScore
from tuning.results.standings import Standings
from tuning.results.sweep_result import SweepResult
from tuning.spec.cv import CvSpec
from tuning.spec.refit import RefitSpec
from tuning.spec.sweep_spec import EarlyStopping, SweepSpec


def record(run: EntryRun, result: SweepResult, spec: SweepSpec = SPEC) -> None:
    """Feed a whole sweep to a recorder, fold by fold as an engine would."""
    with SweepRecorder(run) as recorder:
        recorder.started(spec, len(result.candidates), result.n_folds)
        for fold in range(result.n_folds):
            for candidate in result.candidates:
                recorder.scored([result.fold_scores[candidate][fold]])
        recorder.ended(result)


def test_a_candidate_is_a_finished_child_with_all_that_the_contract_names(client, children, four):
    with EntryRun.begin("sweep") as run:
        record(run, four)
    child = children(run.run_id)["max_depth=3 n_estimators=400"]
    assert child.info.status == "FINISHED"
    assert child.data.params == {"objective": "multi:softprob", "n_estimators": "400", "max_depth": "3"}
    assert child.data.metrics == pytest.approx(
        {
            "split0_test_score": -2.2,
            "split1_test_score": -2.0,
            "mean_test_score": -2.1,
            "std_test_score": 0.1,
            "rank_test_score": 1,
            "mean_fit_time": 1.5,
            "mean_score_time": 0.25,
        }
    )
    assert child.data.tags["mlflow.parentRunId"] == run.run_id
    assert child.data.tags["candidate.key"] == four.candidates[1].key
    assert len(children(run.run_id)) == 4


def test_equal_means_share_a_rank(client, children, four):
    with EntryRun.begin("sweep") as run:
        record(run, four)
    ranks = {name: child.data.metrics["rank_test_score"] for name, child in children(run.run_id).items()}
    assert ranks == {
        "max_depth=3 n_estimators=400": 1,
        "max_depth=3 n_estimators=300": 2,
        "max_depth=4 n_estimators=300": 2,
        "max_depth=4 n_estimators=400": 2,
    }


def test_a_child_holds_what_its_fold_scores_can_be_rebuilt_from(client, children, four):
    with EntryRun.begin("sweep") as run:
        record(run, four)
    data = children(run.run_id)["max_depth=4 n_estimators=300"].data
    candidate = Candidate(json.loads(data.tags["candidate.params"]))
    folds = json.loads(data.tags["candidate.folds"])
    rebuilt = [
        FoldScore(candidate, k, {"neg_log_loss": data.metrics[f"split{k}_test_score"]}, fit, score, share=share)
        for k, (fit, score, share) in enumerate(folds.values())
    ]
    assert rebuilt == four.fold_scores[four.candidates[2]]


def test_several_scorers_name_their_metrics_as_scikit_learn_does(client, children):
    spec = SPEC.model_copy(update={"scoring": ["accuracy", "neg_log_loss"], "refit": RefitSpec(scorer="accuracy")})
    with EntryRun.begin("sweep") as run:
        record(run, outcome(spec, {(300, 3): [0.5, 0.7]}), spec)
    (child,) = children(run.run_id).values()
    assert {"split0_test_accuracy", "mean_test_neg_log_loss", "rank_test_accuracy"} <= set(child.data.metrics)
    assert not any(name.endswith("_score") for name in child.data.metrics)


def test_a_failed_candidate_ends_failed_with_its_error_and_the_others_do_not(client, children, tmp_path):
    result = outcome(SPEC, {(300, 3): [-2.4, "ValueError: max_depth must be positive"], (400, 3): [-2.2, -2.0]})
    with EntryRun.begin("sweep") as run:
        record(run, result)
    failed = children(run.run_id)["max_depth=3 n_estimators=300"]
    assert failed.info.status == "FAILED"
    assert failed.data.tags["candidate.error"] == "fold 1: ValueError: max_depth must be positive"
    text = Path(client.download_artifacts(failed.info.run_id, "error.txt", str(tmp_path))).read_text()
    assert text == "fold 1: ValueError: max_depth must be positive\n"
    assert failed.data.metrics["split0_test_score"] == -2.4
    assert "mean_test_score" not in failed.data.metrics
    assert children(run.run_id)["max_depth=3 n_estimators=400"].info.status == "FINISHED"


@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt(), "KILLED"), (RuntimeError("lost"), "FAILED")])
def test_no_child_is_left_running_when_a_sweep_breaks_off(client, children, four, error, status):
    half_done, done = four.candidates[:2]

    def break_off(run: EntryRun) -> None:
        with run, SweepRecorder(run) as recorder:
            recorder.started(SPEC, 4, 2)
            recorder.scored([four.fold_scores[half_done][0], *four.fold_scores[done]])
            raise error

    run = EntryRun.begin("sweep")
    with pytest.raises(type(error)):
        break_off(run)
    seen = children(run.run_id)
    assert seen[half_done.name].info.status == status
    assert seen[half_done.name].data.metrics == {"split0_test_score": -2.4}
    assert seen[done.name].info.status == "FINISHED"
    assert client.get_run(run.run_id).info.status == status


def test_a_candidate_that_was_stopped_early_ends_killed_and_has_no_mean(client, children):
    result = outcome(SPEC, {(300, 3): [-2.4, -2.2], (400, 3): [-2.2]})
    run = EntryRun.begin("sweep")
    with run, SweepRecorder(run) as recorder:
        recorder.started(SPEC, 2, 2)
        for scores in result.fold_scores.values():
            recorder.scored(list(scores))
        recorder.ended(result)
    stopped = children(run.run_id)["max_depth=3 n_estimators=400"]
    assert stopped.info.status == "KILLED"
    assert stopped.data.tags["candidate.stopped"] == "after 1 of 2 folds in full"
    assert "mean_test_score" not in stopped.data.metrics
    assert stopped.data.metrics["rank_test_score"] == 2


def stopping(curves: Sequence[Sequence[float] | str]) -> dict[Candidate, list[FoldScore]]:
    """A candidate's folds as they come with early stopping, each at its own best round; a word is an error."""
    candidate = Candidate({"max_depth": 3})
    return {
        candidate: [
            FoldScore(candidate, fold, error=curve)
            if isinstance(curve, str)
            else FoldScore(candidate, fold, {"neg_log_loss": max(curve)}, curves={"neg_log_loss": curve})
            for fold, curve in enumerate(curves)
        ]
    }


STOPPED_EARLY = SPEC.model_copy(update={"early_stopping": EarlyStopping(), "cv": CvSpec(folds=2)})
CURVES = [[-3.0, -2.0, -2.5], [-3.0, -2.8, -2.4]]


def test_with_early_stopping_a_child_has_no_score_before_the_folds_have_chosen_together(client, children):
    (folds,) = stopping(CURVES).values()
    with EntryRun.begin("sweep") as run:
        recorder = ChildRuns(run, {}, STOPPED_EARLY.scorers, n_folds=2, settles=True)
        assert recorder.record(folds[0].candidate, folds[:1]) is None
        (child,) = children(run.run_id).values()
        assert child.data.metrics == {}
        assert recorder.record(folds[0].candidate, folds[1:]) == {"neg_log_loss": pytest.approx(-2.4)}


def test_with_early_stopping_a_child_and_the_parents_best_have_the_scores_of_the_table(client, children):
    result = settled(stopping(CURVES))
    with EntryRun.begin("sweep") as run, SweepRecorder(run) as recorder:
        recorder.started(STOPPED_EARLY, 1, 2)
        for fold in stopping(CURVES)[result.best]:
            recorder.scored([fold])
        recorder.ended(result)
    (child,) = children(run.run_id).values()
    of_the_table = {name: values[0] for name, values in result.cv_results().items() if "_test_score" in name}
    metrics = {name: value for name, value in child.data.metrics.items() if not name.endswith(("_time", "_by_round"))}
    assert metrics == pytest.approx({**of_the_table, "rounds": 2})
    by_round = client.get_metric_history(child.info.run_id, "test_score_by_round")
    assert [(entry.step, entry.value) for entry in by_round] == [(1, -3.0), (2, -2.4), (3, pytest.approx(-2.45))]
    assert (of_the_table["split0_test_score"], of_the_table["split1_test_score"]) == (-2.0, -2.8)
    history = client.get_metric_history(run.run_id, "best_neg_log_loss")
    assert [entry.value for entry in history] == [pytest.approx(-2.4)]


@pytest.mark.parametrize("last", ["ValueError: no", None])
def test_with_early_stopping_failed_and_stopped_children_too_have_what_their_folds_chose(client, children, last):
    curves = [*CURVES, last] if last else CURVES
    spec = STOPPED_EARLY.model_copy(update={"cv": CvSpec(folds=3)})
    other = Candidate({"max_depth": 4})
    won = [FoldScore(other, k, {"neg_log_loss": -1.0}, curves={"neg_log_loss": [-1.0]}) for k in range(3)]
    result = settled({**stopping(curves), other: won}, n_folds=3)
    with EntryRun.begin("sweep") as run, SweepRecorder(run) as recorder:
        recorder.started(spec, 2, 3)
        recorder.scored([score for scores in stopping(curves).values() for score in scores] + won)
        recorder.ended(result)
    child = children(run.run_id)["max_depth=3"]
    splits = {name: value for name, value in child.data.metrics.items() if name.startswith("split")}
    assert splits == {"split0_test_score": -2.0, "split1_test_score": -2.8}
    assert not {"mean_test_score", "rounds"} & set(child.data.metrics)


def settled(fold_scores: dict[Candidate, list[FoldScore]], n_folds: int = 2) -> SweepResult:
    """The result of folds that have come with curves."""
    table = Standings()
    table.expect(list(fold_scores))
    for scores in fold_scores.values():
        table.add(scores)
    table = table.settled()
    return SweepResult(
        table.candidates, table.fold_scores(), n_folds, SPEC.scorers, SPEC.refit_scorer, 0, 1.0, table.rounds
    )


def test_boosting_curves_are_kept_by_fold(client, children, tmp_path):
    candidate = Candidate({"max_depth": 3})
    scores = [FoldScore(candidate, k, {"neg_log_loss": -2.0}, curves={"neg_log_loss": [-2.2, -2.0]}) for k in range(2)]
    with EntryRun.begin("sweep") as run:
        record(run, SweepResult([candidate], {candidate: scores}, 2, SPEC.scorers, SPEC.refit_scorer, 0, 1.0))
    (child,) = children(run.run_id).values()
    kept = Path(client.download_artifacts(child.info.run_id, "curves.csv", str(tmp_path))).read_text()
    assert kept == "rounds,split0_neg_log_loss,split1_neg_log_loss\n1,-2.2,-2.2\n2,-2.0,-2.0\n"


READER = """
import sys, time, json
from mlflow import MlflowClient
client, experiment, parent = MlflowClient(), sys.argv[1], sys.argv[2]
print("ready", flush=True)
while True:
    found = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{parent}'")
    for run in [run for run in found if run.data.metrics]:  # they follow the run's making in a request of their own
        print(json.dumps([run.info.run_name, run.info.status, run.data.params, run.data.metrics]), flush=True)
        sys.exit()
    time.sleep(0.1)
"""


def test_another_process_sees_a_fold_while_the_sweep_runs(client, four):
    """The reader waits for a child to appear, and this sweep does not go on before it has."""
    with EntryRun.begin("sweep") as run, SweepRecorder(run) as recorder:
        recorder.started(SPEC, 4, 2)
        command = [sys.executable, "-c", READER, run.experiment_id, run.run_id]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:
            assert reader.stdout.readline() == "ready\n"
            recorder.scored([four.fold_scores[four.candidates[0]][0]])
            name, status, params, metrics = json.loads(reader.stdout.readline())
        assert (name, status) == ("max_depth=3 n_estimators=300", "RUNNING")
        assert params["max_depth"] == "3"
        assert metrics == {"split0_test_score": -2.4}


def test_the_parents_best_score_follows_the_sweep(client, four):
    with EntryRun.begin("sweep") as run:
        record(run, four)
    history = client.get_metric_history(run.run_id, "best_neg_log_loss")
    assert history[-1].value == pytest.approx(-2.1)
    assert history[-1].step <= 4


def test_a_refusal_of_the_store_ends_the_sweep_in_one_line(client, four, monkeypatch):
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("disk I/O error\nand a second line")

    monkeypatch.setattr(MlflowClient, "create_run", refuse)
    with EntryRun(client, run_made_before(client)) as run:
        recorder = SweepRecorder(run)
        recorder.started(SPEC, 4, 2)
        recorder.scored([four.fold_scores[four.candidates[0]][0]])
        with pytest.raises(
            TrackingError, match=r"^MLflow refused to record the candidates' runs: disk I/O error\. Check"
        ):
            recorder.ended(four)


def run_made_before(client: MlflowClient) -> Any:
    """Make a run past the patched method."""
    return client._tracking_client.create_run(client.get_experiment_by_name("tests").experiment_id)


def test_folds_that_come_together_cost_one_batch(client, four, monkeypatch):
    calls: Counter[str] = Counter()
    for name in ("create_run", "log_batch", "set_terminated", "get_run", "search_runs"):
        monkeypatch.setattr(MlflowClient, name, counted(name, getattr(MlflowClient, name), calls))
    with EntryRun.begin("sweep") as run:
        calls.clear()
        record(run, four)
        assert calls == {"create_run": 4, "log_batch": 4 + 4 + 1, "set_terminated": 4}  # ranks; the best so far


def counted(name: str, method: Any, calls: Counter[str]) -> Any:
    def call(*arguments: Any, **options: Any) -> Any:
        calls[name] += 1
        return method(*arguments, **options)

    return call


def test_a_late_candidate_costs_the_statements_of_an_early_one(client):
    """Counted in SQL statements, which is what would grow if a child's cost grew with the number of children."""
    statements: list[str] = []
    engine = client._tracking_client.store.engine
    sqlalchemy.event.listen(engine, "after_cursor_execute", lambda _c, _cursor, sql, *_: statements.append(sql))
    with EntryRun.begin("sweep") as run:
        children = ChildRuns(run, SPEC.fixed, SPEC.scorers, n_folds=5)
        counts = []
        for number in range(200):
            candidate = Candidate({"max_depth": 3, "n_estimators": number})
            before = len(statements)
            children.record(candidate, [FoldScore(candidate, k, {"neg_log_loss": -2.0 - k}) for k in range(5)])
            counts.append(len(statements) - before)
    assert np.ptp(counts[1:]) == 0
    assert len(children._open) == 0


def test_children_are_recorded_over_a_server_too(server_client, four, tmp_path):
    failing = outcome(SPEC, {(300, 3): [-2.4, "ValueError: no"], (400, 3): [-2.2, -2.0]})
    with EntryRun.begin("sweep") as run:
        record(run, failing)
    found = server_client.search_runs([run.experiment_id], f"tags.`mlflow.parentRunId` = '{run.run_id}'")
    assert {child.info.run_name: child.info.status for child in found} == {
        "max_depth=3 n_estimators=300": "FAILED",
        "max_depth=3 n_estimators=400": "FINISHED",
    }
    assert server_client.get_run(run.run_id).info.status == "FINISHED"
