"""Predictions that a sweep keeps are those that its scores were made of, whoever has fitted them and when."""

from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from errors import GridfoldError
from tests.tuning.kept.sweeps import BOOSTED, BOTH, IDS, LINEAR, NUMBERS, RIDGE, THREE, TWO, WEIGHED, Kept
from tuning import Candidate, open_engine
from tuning.kept.table import OutOfFold

LACKS_A_CLASS = replace(THREE, fold_columns={"part": np.where(THREE.y == 2, -1, np.arange(60) % 2)})
NEVER_SEEN = replace(THREE, fold_columns={"part": np.where(THREE.y == 2, 1, np.arange(60) % 2)})
CASES = {
    "boosters, whose rounds are of one fit": (THREE, BOOSTED),
    "probabilities, decisions and labels": (TWO, LINEAR),
    "weights": (WEIGHED, LINEAR),
    "numbers": (NUMBERS, RIDGE),
    "several targets": (BOTH, RIDGE),
    "a step that is chosen": (
        TWO,
        {
            **LINEAR,
            "estimator": [{"model": "sklearn.linear_model.LogisticRegression"}],
            "fixed": {},
            "grid": {
                "model": [
                    {"class": "sklearn.linear_model.LogisticRegression", "random_state": 0},
                    {"class": "sklearn.naive_bayes.GaussianNB"},
                ]
            },
        },
    ),
    "decisions of pairs of classes": (
        THREE,
        {
            "estimator": "sklearn.svm.SVC",
            "fixed": {"decision_function_shape": "ovo"},
            "grid": {"C": [1.0, 2.0]},
            "scoring": "accuracy",
            "cv": {"folds": 3},
        },
    ),
    "a fold that tests two of three classes": (
        LACKS_A_CLASS,
        {**LINEAR, "scoring": "accuracy", "refit": "accuracy", "cv": {"column": "part"}},
    ),
    "a fold that learns two of three classes": (
        NEVER_SEEN,
        {**LINEAR, "scoring": "accuracy", "refit": "accuracy", "cv": {"column": "part"}},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_every_fold_scores_again_what_it_scored(case, tmp_path):
    comes_to_its_scores(Kept(tmp_path, *CASES[case]))


@pytest.mark.parametrize(("data", "written"), [(THREE, BOOSTED), (TWO, LINEAR)], ids=["threads", "processes"])
def test_predictions_come_from_the_workers_of_this_machine(data, written, tmp_path):
    comes_to_its_scores(Kept(tmp_path, data, written, engine=open_engine("local", 1)))


def comes_to_its_scores(kept):
    assert kept.n_written == len(kept.file.kept) == len(kept.result.candidates) > 1
    assert kept.file.winner.candidate == kept.result.best
    for judged in kept.file.kept:
        again = kept.scored_again(judged)
        for name in kept.result.scorers:
            place = kept.result.candidates.index(judged.candidate)
            assert again[name] == kept.result.split_scores(name)[place].tolist() == list(judged.splits[name])


def test_a_person_reads_the_file_without_us(tmp_path):
    Kept(tmp_path, THREE, BOOSTED)
    frame = pq.read_table(tmp_path / "out.parquet").to_pandas()
    assert list(frame.columns) == ["row", "fold", "candidate", "predicted", "class=cat", "class=dog", "class=emu"]
    assert sorted(frame["row"].unique()) == IDS.tolist()
    assert set(frame["candidate"]) == {
        Candidate({"max_depth": d, "n_estimators": n}).key for d in (1, 2) for n in (3, 6)
    }
    assert len(frame) == 4 * len(IDS)
    probabilities = frame[["class=cat", "class=dog", "class=emu"]]
    assert probabilities.dtypes.unique().tolist() == [np.float32]  # as XGBoost gives them
    assert (frame["predicted"] == np.array(["cat", "dog", "emu"])[probabilities.to_numpy().argmax(axis=1)]).all()


@pytest.fixture
def winners(tmp_path):
    return Kept(tmp_path, THREE, BOOSTED, keep="winner")


def test_of_a_sweep_that_asks_for_nothing_the_winners_are_kept_alone(winners):
    assert [each.candidate for each in winners.file.kept] == [winners.result.best]
    assert winners.scored_again(winners.file.winner)["neg_log_loss"] == list(winners.file.winner.splits["neg_log_loss"])
    assert winners.on_disk == {score.cell for score in winners.result.fold_scores[winners.result.best]}
    assert len(winners.file.judged) == 4  # what all have scored is there to choose by


def test_the_same_sweep_again_finds_them(winners, tmp_path):
    again = Kept(tmp_path, THREE, BOOSTED, keep="winner")
    assert again.result.n_fits == again.result.n_units == 0
    assert again.file.kept


def test_known_cells_without_predictions_are_fitted_for_who_wants_all_of_them(winners, tmp_path):
    everything = Kept(tmp_path, THREE, BOOSTED)
    assert (everything.result.n_reused, everything.result.n_fits) == (3, 9)  # the winner's three folds are there
    assert everything.n_written == 4
    winner_only = Kept(tmp_path, THREE, BOOSTED, keep="winner")
    assert winner_only.on_disk == everything.on_disk  # what another has asked for is not removed
    assert Kept(tmp_path, THREE, BOOSTED).result.n_fits == 0


@pytest.mark.parametrize(
    "written", [BOOSTED, {**BOOSTED, "refit": {"scorer": "neg_log_loss", "rule": "one_standard_error"}}]
)
def test_a_winner_from_the_journal_is_fitted_again_on_its_folds(written, tmp_path):
    before = Kept(tmp_path, THREE, written, keep="winner", kept=False)
    kept = Kept(tmp_path, THREE, written, keep="winner")
    assert kept.result.n_fits == 0
    assert kept.result.best == before.result.best
    assert kept.scored_again(kept.file.winner)["neg_log_loss"] == list(kept.file.winner.splits["neg_log_loss"])


def test_a_winner_that_draws_anew_is_not_fitted_again(tmp_path):
    unseeded = {**LINEAR, "fixed": {"solver": "saga", "max_iter": 50}}
    Kept(tmp_path, TWO, unseeded, keep="winner", kept=False)
    kept = Kept(tmp_path, TWO, unseeded, keep="winner")
    assert not kept.file.kept
    assert kept.file.why_not == (
        "they were not noted when the winner was scored, and it draws other random numbers in each fit"
    )


def test_early_stopping_keeps_the_winner_at_the_round_that_its_folds_have_chosen(tmp_path):
    fixed = {**BOOSTED["fixed"], "n_estimators": 20}
    stopping = {**BOOSTED, "fixed": fixed, "grid": {"max_depth": [1, 2]}, "early_stopping": {"patience": 3}}
    kept = Kept(tmp_path, THREE, stopping, keep="winner")
    winner = kept.file.winner
    assert winner.rounds == kept.result.rounds[kept.result.best] < 20
    assert kept.scored_again(winner)["neg_log_loss"] == pytest.approx(winner.splits["neg_log_loss"], abs=1e-6)


def test_halving_keeps_those_that_were_judged_in_full(tmp_path):
    halving = {**BOOSTED, "search": {"strategy": "halving", "resource": "rows", "min_share": 0.3}}
    kept = Kept(tmp_path, THREE, halving)
    complete = [each for each in kept.result.candidates if each not in kept.result.stopped]
    assert 1 <= len(complete) < 4
    assert [each.candidate for each in kept.file.kept] == [each.candidate for each in kept.file.judged] == complete
    assert Kept(tmp_path, THREE, halving).result.n_fits == 0  # of a share no predictions are missed


def test_what_cannot_be_written_costs_the_predictions_alone(tmp_path):
    (tmp_path / "predictions").write_text("a file where a folder should be")
    kept = Kept(tmp_path, THREE, BOOSTED, keep="winner")
    assert kept.result.best
    assert not kept.file.kept
    assert "could not be written" in kept.file.why_not


def test_what_is_damaged_is_made_again(winners, tmp_path):
    [torn, *_] = sorted((tmp_path / "predictions").rglob("*.npz"))
    torn.write_bytes(torn.read_bytes()[:-40])
    again = Kept(tmp_path, THREE, BOOSTED, keep="winner")
    assert again.result.n_fits == 0
    assert again.scored_again(again.file.winner)["neg_log_loss"] == list(again.file.winner.splits["neg_log_loss"])
    (tmp_path / "out.parquet").write_bytes(b"PAR1")
    with pytest.raises(GridfoldError, match=r"^out\.parquet: no file of out-of-fold predictions, or damaged"):
        OutOfFold(tmp_path / "out.parquet")
