"""Promotion between models of tables: on the rows that the challenger's sweep has kept, as both models see them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from entrypoints.promote import promote
from release import judging
from tests.entrypoints.own_models import LOGISTIC, RIDGE, XGBOOST, people, register
from tracking import aliases

GATES = "{rows: {minimum: 20}, gain: {minimum: -1}, slices: {minimum_rows: 10, tolerance: 2}}"
POOR = {**LOGISTIC, "fixed": {"model__C": 1e-9}, "grid": {"model__max_iter": [50]}}
MODEL = ["--model", "people"]


@pytest.fixture(autouse=True)
def brief(monkeypatch):
    monkeypatch.setattr(aliases, "_SECONDS_TO_SETTLE", 0.01)
    monkeypatch.setattr(judging, "_RESAMPLES_OF_SCORERS", 40)


@pytest.fixture
def place(workplace):
    (workplace.folder / "promotion.yaml").write_text(GATES)
    people(400).to_csv("people.csv", index=False)
    return workplace


def promoted(capsys, *arguments: str, model: str = "people") -> str:
    capsys.readouterr()
    assert promote(["--model", model, *arguments]) == 0
    return capsys.readouterr().out


def refused(capsys, *arguments: str, model: str = "people") -> str:
    capsys.readouterr()
    assert promote(["--model", model, *arguments]) == 1
    return capsys.readouterr().err.splitlines()[-1]


def tags_of(place, name="people") -> dict:
    return aliases.at_alias(place.client, name, "champion").tags


def held_by(place, run) -> pd.DataFrame:
    return pd.read_parquet(place.client.download_artifacts(run.run_id, "held_out/rows.parquet"))


def probability(version: int, rows: pd.DataFrame, name: str = "people") -> np.ndarray:
    import mlflow

    return mlflow.pyfunc.load_model(f"models:/{name}/{version}").predict(rows)["yes"].to_numpy()


def test_both_are_judged_by_log_loss_on_the_rows_kept_with_the_challengers_run(place, capsys):
    register("people.csv", POOR, holdout=0.3)
    first = promoted(capsys)
    assert "Held-out rows: 120." in first
    assert "people version 1 is champion, the first" in first
    run = register("people.csv", XGBOOST, holdout=0.3)
    rows = held_by(place, run)
    pd.testing.assert_frame_equal(rows, pd.read_csv("people.csv").iloc[rows.index])
    (place.folder / "people.csv").unlink()
    second = promoted(capsys, "--reason", "it knows towns")
    tags = tags_of(place)
    for version, who in ((1, "champion"), (2, "challenger")):
        expected = log_loss(rows["won"] == "yes", probability(version, rows))
        assert float(tags[f"promotion.{who}_log_loss"]) == pytest.approx(expected, abs=1e-5)
    assert "Saved per row: " in second
    assert "calibration_error" not in second  # these gates have no such limit
    assert tags["promotion.reason"] == "it knows towns"


def test_any_scorer_judges_in_place_of_log_loss_and_slices_are_by_named_columns(place, capsys):
    (place.folder / "promotion.yaml").write_text(
        "{scorer: roc_auc, rows: {minimum: 20}, gain: {minimum: -1}, latency_ms: {maximum: 9999},"
        " slices: {by: [town, member, age], minimum_rows: 10, tolerance: 1}}"
    )
    register("people.csv", POOR, holdout=0.3)
    promoted(capsys)
    run = register("people.csv", XGBOOST, holdout=0.3)
    printed = promoted(capsys)
    rows, tags = held_by(place, run), tags_of(place)
    expected = [roc_auc_score(rows["won"] == "yes", probability(version, rows)) for version in (1, 2)]
    assert float(tags["promotion.champion_roc_auc"]) == pytest.approx(expected[0], abs=1e-5)
    assert float(tags["promotion.challenger_roc_auc"]) == pytest.approx(expected[1], abs=1e-5)
    assert float(tags["promotion.gain"]) == pytest.approx(expected[1] - expected[0], abs=1e-5)
    assert float(tags["promotion.gain_low"]) < float(tags["promotion.gain"]) < float(tags["promotion.gain_high"])
    for words in ("gain where town is XL", "gain where member is True", "gain where age is empty", "latency_ms"):
        assert words in printed
    mine = (rows["town"] == "XL").to_numpy()
    yes = (rows["won"] == "yes").to_numpy()[mine]
    gain = np.subtract(*(roc_auc_score(yes, probability(version, rows)[mine]) for version in (2, 1)))
    assert f"| gain where town is XL | {gain:.5g} |" in printed


def test_numbers_are_judged_by_the_sweeps_own_scorer_and_by_one_that_the_file_names(place, capsys):
    table = people(300).assign(double=lambda frame: frame["rooms"] * 2.0 + frame["pay"])
    table[["rooms", "double"]].to_parquet("narrow.parquet")
    table[["rooms", "pay", "double"]].to_parquet("wide.parquet")
    register("narrow.parquet", RIDGE, target="double", name="numbers", holdout=0.3)
    assert "r2 of the challenger: 0." in promoted(capsys, model="numbers")
    register("wide.parquet", RIDGE, target="double", name="numbers", holdout=0.3)
    (place.folder / "promotion.yaml").write_text("{scorer: neg_mean_absolute_error, rows: {minimum: 5}}")
    printed = promoted(capsys, model="numbers")
    assert "neg_mean_absolute_error of the champion: -" in printed
    assert float(tags_of(place, "numbers")["promotion.gain_low"]) > 0


def test_rows_that_the_champion_has_learned_from_are_left_out_though_the_file_has_grown(place, capsys):
    register("people.csv", POOR, holdout=0.3)
    promoted(capsys)
    old = pd.read_csv("people.csv")
    pd.concat([people(200, seed=5), old]).to_parquet("grown.parquet", index=False)
    run = register("grown.parquet", XGBOOST, holdout=0.4)
    rows = held_by(place, run)
    marks = [tuple(row) for row in rows.astype(str).to_numpy()]
    champions = place.client.get_model_version("people", "1").run_id
    held = place.client.download_artifacts(champions, "held_out/rows.parquet")
    theirs = set(pd.read_parquet(held).index)
    learned = {tuple(row) for place_, row in enumerate(old.astype(str).to_numpy()) if place_ not in theirs}
    left_out = sum(mark in learned for mark in marks)
    assert 0 < left_out < len(rows)
    words = f"Held-out rows: {len(rows) - left_out} ({left_out} more left out, which the champion has learned from)."
    assert words in promoted(capsys, "--dry_run", "true")


def test_labelled_rows_may_be_given_in_place_of_those_kept(place, capsys):
    register("people.csv", XGBOOST, holdout=0)
    assert "rows: 0 is 20 below the minimum 20" in refused(capsys)
    new = pd.concat([people(50, seed=9), people(400).iloc[:30]])
    new.to_csv("new.csv", index=False)
    assert "Held-out rows: 50." in promoted(capsys, "--data", "new.csv", "--dry_run", "true")


def test_what_cannot_be_compared_is_one_line_and_changes_nothing(place, capsys):
    run = register("people.csv", XGBOOST, holdout=0.3)
    promoted(capsys)
    people(400).drop(columns="age").to_csv("other.csv", index=False)
    register("other.csv", XGBOOST, holdout=0.3)
    assert "the held-out rows have no column 'age', which it takes" in refused(capsys)
    people(400).assign(won=lambda rows: rows["won"].mask(rows["age"] < 40, "maybe")).to_csv("third.csv", index=False)
    register("third.csv", XGBOOST, holdout=0.3)
    assert "people version 1 knows no class 'maybe'" in refused(capsys)
    asked = {**XGBOOST, "estimator": "xgboost.XGBRegressor", "scoring": "r2"}
    register("people.csv", asked, target="rooms", holdout=0.3)
    assert "predicts rooms, and people version 1 predicts won" in refused(capsys)
    (place.folder / "promotion.yaml").write_text("{slices: {by: [country]}}")
    register("people.csv", LOGISTIC, holdout=0.3)
    assert "slices.by: the held-out rows have no column 'country'. They have age," in refused(capsys)
    (place.folder / "promotion.yaml").write_text("{scorer: rock_auc}")
    assert "promotion.yaml: scorer: scikit-learn has no scorer 'rock_auc'. Did you mean 'roc_auc'?" in refused(capsys)
    place.client.set_registered_model_alias("people", "challenger", "1")
    place.client.delete_registered_model_alias("people", "champion")
    folder = place.folder / "artifacts" / run.run_id / "artifacts" / "held_out"
    folder.rename(folder.with_name("gone"))
    assert "people version 1: its run keeps no held-out rows" in refused(capsys)
