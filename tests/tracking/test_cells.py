"""What one machine has recorded of its fits, another finds, to the last bit."""

from __future__ import annotations

import math

import pytest
from mlflow import MlflowClient

from tests.tracking.outcomes import SPEC
from tracking import EntryRun, SweepRecorder, store
from tracking.cells import CELLS, StoredCells, cell_tags, cells_of
from tracking.open_run import JOURNAL
from tuning.candidates import Candidate
from tuning.cells import from_record
from tuning.results.fold_score import FoldScore
from tuning.spec.sweep_spec import SweepSpec

FAMILY = "f" * 32
ODD = [0.1, 1 / 3, -2.2849999999999997, 5e-324, 1.7976931348623157e308, -0.0, math.inf, -math.inf, math.nan]


def scored(candidate: Candidate, fold: int, value: float = 0.0, **more: object) -> FoldScore:
    scores = {"neg_log_loss": value}
    return FoldScore(candidate, fold, scores, 0.123456789, 0.25, shared="why", cell=f"{candidate.key}{fold}", **more)


def recorded(scores: list[FoldScore], spec: SweepSpec = SPEC, n_folds: int = 2) -> EntryRun:
    """Record a sweep that was broken off after `scores`."""
    run = EntryRun.begin("sweep")
    with run, SweepRecorder(run) as recorder:
        run.set_tags({JOURNAL: FAMILY})
        recorder.started(spec, None, n_folds)
        recorder.scored(scores)
    return run


def found(scores: list[FoldScore], family: str = FAMILY) -> list[FoldScore | None]:
    """Look for the cells of `scores` from another run."""
    with EntryRun.begin("sweep") as run:
        records = StoredCells(run, family).find(score.cell for score in scores)
    return [
        from_record(records[each.cell], each.candidate, each.fold, each.cell) if each.cell in records else None
        for each in scores
    ]


def bits(score: FoldScore | None) -> list[str]:
    assert score is not None
    assert score.reused
    return [value.hex() for value in (*score.scores.values(), score.fit_seconds, score.score_seconds, score.share)]


@pytest.fixture(params=["sqlite", "server"])
def anywhere(request: pytest.FixtureRequest) -> None:
    """A sqlite store, then a server."""
    request.getfixturevalue("client" if request.param == "sqlite" else "server_client")


@pytest.mark.usefixtures("anywhere")
def test_scores_come_back_to_the_last_bit():
    scores = [scored(Candidate({"n_estimators": n}), 0, value) for n, value in enumerate(ODD)]
    scores += [scored(Candidate({"n_estimators": 0}), 1, 0.5)]
    recorded(scores)
    back = found(scores)
    assert [bits(score) for score in back] == [
        [value.hex() for value in (*each.scores.values(), each.fit_seconds, each.score_seconds, each.share)]
        for each in scores
    ]
    assert {score.shared for score in back if score} == {"why"}


def test_errors_warnings_and_shares_come_back(client):
    candidate = Candidate({"n_estimators": 1})
    scores = [
        scored(candidate, 0, share=0.25, warning="UserWarning: hm"),
        FoldScore(candidate, 1, error="ValueError: no", cell="wrong"),
    ]
    recorded(scores)
    first, second = found(scores)
    assert first is not None
    assert second is not None
    assert (first.share, first.warning) == (0.25, "UserWarning: hm")
    assert (second.error, second.scores) == ("ValueError: no", {})


def test_lower_rungs_come_back_beside_the_higher(client):
    candidate = Candidate({"n_estimators": 1})
    low = FoldScore(candidate, 0, {"neg_log_loss": -3.0}, share=0.5, cell="low")
    recorded([low])
    recorded([low, scored(candidate, 0, -2.0)])
    assert [score and score.scores["neg_log_loss"] for score in found([low, scored(candidate, 0)])] == [-3.0, -2.0]


def test_curves_come_back_from_their_file(client):
    candidate = Candidate({"max_depth": 3})
    curves = [{"neg_log_loss": [-2.2, -2.0 - 1 / 3, -2.1]}, {"neg_log_loss": [-1 / 7]}]
    scores = [scored(candidate, fold, curves=curve) for fold, curve in enumerate(curves)]
    recorded(scores)
    assert [score and dict(score.curves) for score in found(scores)] == curves


def test_curves_whose_file_was_not_written_are_not_known(client):
    score = scored(Candidate({"max_depth": 3}), 0, curves={"neg_log_loss": [-2.0]})
    recorded([score])
    assert found([score]) == [None]


def test_lost_fits_and_other_families_are_not_found(client):
    candidate = Candidate({"max_depth": 3})
    lost = FoldScore(candidate, 0, error="MemoryError", lost=True, cell="lost")
    score = scored(candidate, 1)
    recorded([lost, score])
    assert found([lost]) == [None]
    assert found([score]) != [None]
    assert found([score], family="another") == [None]


def test_only_as_many_pages_are_read_as_are_needed(client, monkeypatch):
    monkeypatch.setattr("tracking.cells._PAGE", 2)
    scores = [scored(Candidate({"n_estimators": n}), 0) for n in range(6)]
    recorded(scores)
    searches = []
    search = MlflowClient.search_runs
    monkeypatch.setattr(
        MlflowClient, "search_runs", lambda *a, **k: searches.append(k["page_token"]) or search(*a, **k)
    )
    with EntryRun.begin("sweep") as run:
        stored = StoredCells(run, FAMILY)
        newest = [each.cell for each in scores[-1:]]
        assert len(stored.find(newest)) == 1
        few = len(searches)
        assert len(stored.find(each.cell for each in scores)) == 6
        assert few < len(searches) <= 4
        before = len(searches)
        assert len(stored.find(each.cell for each in scores)) == 6
        assert len(searches) == before


def test_tags_that_say_something_else_say_nothing(client):
    run = recorded([scored(Candidate({"max_depth": 3}), 0)])
    (child,) = client.search_runs([run.experiment_id], f"tags.`mlflow.parentRunId` = '{run.run_id}'")
    for text in ("[]", "{", "7", '{"x": 1}', '"text"', "null"):
        client.set_tag(child.info.run_id, f"{CELLS}.1", text)
        assert found([scored(Candidate({"max_depth": 3}), 0)]) != [None]


def test_many_folds_take_several_tags_and_a_huge_error_none():
    candidate = Candidate({"max_depth": 3})
    scores = [scored(candidate, fold, fold / 7) for fold in range(200)]
    scores += [FoldScore(candidate, 200, error="x" * store.TAG_LIMIT, cell="huge")]
    tags = cell_tags(cells_of(scores))
    assert len(tags) > 1
    assert all(len(text) <= store.TAG_LIMIT for text in tags.values())
    assert "huge" not in "".join(tags.values())
