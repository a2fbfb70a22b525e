"""A sweep that was broken off goes on where it was, and comes to what it would have come to."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from sklearn.svm import SVC

from benchmarks.differential.ours import InProcess
from errors import FitError
from tests.tuning.memories import JournalMemory
from tuning import Dataset, SweepSpec, open_engine, sweep
from tuning.engines import LocalEngine

N_ROWS = 60
Y = np.arange(N_ROWS) % 2
X = (np.random.default_rng(0).normal(size=(N_ROWS, 4)) + 0.7 * Y[:, None]).astype(np.float32)
DATA = Dataset(X, Y, np.unique(Y))
SPEC = {
    "estimator": "xgboost.XGBClassifier",
    "fixed": {"random_state": 0, "subsample": 0.7},
    "grid": {"max_depth": [1, 2, 3], "n_estimators": [3, 6, 9]},
    "scoring": ["neg_log_loss", "accuracy"],
    "refit": "neg_log_loss",
    "cv": {"folds": 4, "shuffle": True, "seed": 0},
}
TPE = {
    "grid": {},
    "distributions": {"max_depth": {"choice": [1, 2, 3]}, "learning_rate": {"uniform": [0.1, 1.0]}},
    "search": {"strategy": "tpe", "candidates": 8, "startup": 3, "batch": 2},
}
STRATEGIES = {
    "grid": {},
    "random": {"search": {"strategy": "random", "candidates": 5}},
    "racing": {"search": {"strategy": "racing", "min_folds": 2}},
    "halving by rounds": {"search": {"strategy": "halving", "min_share": 0.3}},
    "halving by rows": {"search": {"strategy": "halving", "resource": "rows", "min_share": 0.3}},
    "tpe": TPE,
    "early stopping": {
        "fixed": {**SPEC["fixed"], "n_estimators": 30},
        "grid": {"max_depth": [1, 2, 3]},
        "early_stopping": {"patience": 3},
    },
}


class Interrupt(BaseException):
    pass


class BreaksOff:
    """An observer that breaks a sweep off after so many fits."""

    def __init__(self, after):
        self.left = after

    def started(self, spec, n_candidates, n_folds):
        pass

    def scored(self, scores):
        self.left -= sum(not score.reused for score in scores)
        if self.left <= 0:
            raise Interrupt

    def ended(self, result):
        pass


def run(spec, memory, observers=(), data=DATA, cores=2):
    with memory, open_engine("local", cores) as engine:
        return sweep(spec, data, engine, observers, memory)


def spec_of(**changes):
    return SweepSpec(**{**SPEC, **changes})


def outcome(result):
    """All that a sweep found out, to the last bit."""
    cells = {
        (candidate.key, score.fold, score.share): (dict(score.scores), {k: list(v) for k, v in score.curves.items()})
        for candidate in result.candidates
        for score in result.fold_scores[candidate]
    }
    return [each.key for each in result.candidates], cells, result.best.key, dict(result.rounds)


@pytest.mark.parametrize("changes", STRATEGIES.values(), ids=STRATEGIES)
def test_broken_off_and_continued_equals_uninterrupted(changes, tmp_path):
    spec = spec_of(**changes)
    whole = JournalMemory(tmp_path / "whole")
    uninterrupted = run(spec, whole)
    broken, kept = tmp_path / "broken", []
    for _ in range(30):
        memory = JournalMemory(broken)
        try:
            continued = run(spec, memory, [BreaksOff(after=7)])
        except Interrupt:
            kept += memory.kept
            continue
        kept += memory.kept
        break
    assert outcome(continued) == outcome(uninterrupted)
    assert len(kept) == len(set(kept)), "a cell that was known was fitted again"
    assert set(kept) == set(whole.kept)
    assert continued.n_reused > 0


def test_a_finished_sweep_fits_nothing(tmp_path):
    first = run(spec_of(), JournalMemory(tmp_path))
    memory = JournalMemory(tmp_path)
    second = run(spec_of(), memory, cores=1)
    assert (memory.kept, memory.begun) == ([], [])
    assert (first.n_fits, first.n_reused) == (36, 0)
    assert (second.n_fits, second.n_reused, second.n_units) == (0, 36, 0)
    assert outcome(second) == outcome(first)


def test_a_grown_grid_pays_for_its_new_candidates(tmp_path):
    run(spec_of(), JournalMemory(tmp_path))
    memory = JournalMemory(tmp_path)
    grown = run(spec_of(grid={"n_estimators": [9, 6, 3], "max_depth": [1, 2, 3, 4]}), memory)
    assert (grown.n_fits, grown.n_reused) == (12, 36)
    assert len(memory.kept) == 12


@pytest.mark.parametrize(
    ("estimator", "fixed", "grown", "known"),
    [
        ("xgboost.XGBClassifier", {"subsample": 0.7, "random_state": 0}, {"n_estimators": [2, 5, 9]}, [5]),
        ("sklearn.ensemble.RandomForestClassifier", {"random_state": 0}, {"n_estimators": [2, 5, 9]}, [9]),
        ("sklearn.neighbors.KNeighborsClassifier", {}, {"n_neighbors": [1, 5, 9]}, [1, 9]),
    ],
)
def test_the_part_of_a_shared_fit_that_is_missing_scores_as_in_the_whole(estimator, fixed, grown, known, tmp_path):
    [name] = grown
    whole = spec_of(estimator=estimator, fixed=fixed, grid=grown)
    part = spec_of(estimator=estimator, fixed=fixed, grid={name: known})
    at_once = run(whole, JournalMemory(tmp_path / "whole"))
    run(part, JournalMemory(tmp_path / "parts"))
    memory = JournalMemory(tmp_path / "parts")
    in_parts = run(whole, memory)
    assert len(memory.kept) == 4 * (len(grown[name]) - len(known))
    assert outcome(in_parts) == outcome(at_once)


def test_missing_folds_alone_are_fitted(tmp_path):
    run(spec_of(search={"strategy": "racing", "min_folds": 2}), JournalMemory(tmp_path))
    memory = JournalMemory(tmp_path)
    judged = run(spec_of(), memory)
    assert 0 < judged.n_reused < 36
    assert len(memory.kept) == judged.n_fits == 36 - judged.n_reused
    assert outcome(judged) == outcome(run(spec_of(), JournalMemory(tmp_path / "another")))


def test_cells_of_other_rows_are_not_taken(tmp_path):
    run(spec_of(), JournalMemory(tmp_path))
    assert run(spec_of(), JournalMemory(tmp_path), data=replace(DATA, X=X + 1)).n_reused == 0


def test_an_estimators_own_error_is_known_and_what_the_machine_lacked_is_tried_again(tmp_path, monkeypatch):
    spec = spec_of(estimator="sklearn.svm.SVC", fixed={}, grid={"C": [1.0, 2.0]}, scoring="accuracy", refit=None)

    def failing(self, X, y, **more):
        raise {1.0: ValueError, 2.0: MemoryError}[self.C]("no")

    with monkeypatch.context() as patched:
        patched.setattr(SVC, "fit", failing)
        with pytest.raises(FitError, match="all 2 candidates failed"):
            in_this_process(spec, JournalMemory(tmp_path))
    memory = JournalMemory(tmp_path)
    result = in_this_process(spec, memory)
    assert [each.params["C"] for each in result.failed] == [1.0]
    assert (result.n_reused, len(memory.kept)) == (4, 4)


def in_this_process(spec, memory):
    """Run where a patch reaches the fits."""
    with memory:
        return sweep(spec, DATA, InProcess(), [], memory)


def test_verify_fits_remembered_cells_too(tmp_path):
    run(spec_of(), JournalMemory(tmp_path))
    memory = JournalMemory(tmp_path)
    result = run(spec_of(verify=3), memory)
    assert result.n_fits == 0
    assert (result.verification.cells, result.verification.disagreement) == (3, None)
    assert memory.kept == []


def test_verify_finds_a_remembered_score_that_is_wrong(tmp_path):
    run(spec_of(), JournalMemory(tmp_path))

    class Forged(JournalMemory):
        def find(self, addresses):
            wrong = {"scores": {"neg_log_loss": -9.0, "accuracy": 0.0}}
            return {each: {**record, **wrong} for each, record in super().find(addresses).items()}

    result = run(spec_of(verify=3), Forged(tmp_path))
    assert result.verification.disagreement is not None


def test_fits_in_this_process_are_noted_as_they_begin(tmp_path):
    memory = JournalMemory(tmp_path)
    run(spec_of(), memory)
    assert sorted(memory.begun) == sorted(memory.kept)


def test_observers_hear_of_remembered_fits_and_that_they_are(tmp_path):
    class Hears(BreaksOff):
        def __init__(self):
            self.heard = []

        def scored(self, scores):
            self.heard += scores

    run(spec_of(), JournalMemory(tmp_path))
    observer = Hears()
    run(spec_of(), JournalMemory(tmp_path), [observer])
    assert len(observer.heard) == 36
    assert all(score.reused and score.cell for score in observer.heard)


def test_time_of_an_earlier_sweep_does_not_count(tmp_path):
    run(spec_of(), JournalMemory(tmp_path))
    assert not run(spec_of(budget={"max_time": 60}), JournalMemory(tmp_path)).stopped


def test_waiting_for_another_command_does_not_count(tmp_path):
    class Waits(JournalMemory):
        def open(self, cells):
            began = time.perf_counter()
            time.sleep(0.2)
            super().open(cells)
            self.waited = time.perf_counter() - began

    memory = Waits(tmp_path)
    begun = time.perf_counter()
    result = run(spec_of(grid={"max_depth": [1]}), memory)
    assert result.seconds <= time.perf_counter() - begun - memory.waited


class Vanishes(JournalMemory):
    """One whose process is killed: nobody says that it has left in good order."""

    def __exit__(self, *error):
        self.journal._alive.release()


def test_what_may_have_ended_an_earlier_process_is_fitted_in_a_process_of_its_own(tmp_path, monkeypatch):
    undisturbed = run(spec_of(), JournalMemory(tmp_path / "undisturbed"))
    with pytest.raises(Interrupt):
        run(spec_of(), Vanishes(tmp_path / "broken"), [BreaksOff(after=3)])
    suspected, apart = set(), []
    submit = LocalEngine.submit

    def watch(engine, fit):
        apart.extend((each.key, fit.fold) for each in fit.candidates if fit.apart)
        return submit(engine, fit)

    class Looks(JournalMemory):
        def suspects(self):
            suspected.update(found := super().suspects())
            return found

    monkeypatch.setattr(LocalEngine, "submit", watch)
    memory = Looks(tmp_path / "broken")
    continued = run(spec_of(), memory)
    by_address = {score.cell: (c.key, score.fold) for c in continued.candidates for score in continued.fold_scores[c]}
    assert suspected
    assert sorted(apart) == sorted(by_address[address] for address in suspected)
    assert outcome(continued) == outcome(undisturbed)
    with JournalMemory(tmp_path / "broken") as settled:
        settled.open(memory.cells)
        assert not settled.suspects()
