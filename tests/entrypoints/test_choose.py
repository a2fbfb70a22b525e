"""Another winner of a finished sweep is chosen from what the sweep has kept, and becomes a model as a sweep's does."""

import re
from dataclasses import dataclass
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
import yaml
from mlflow import MlflowClient
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score, log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from entrypoints.choose import choose
from entrypoints.sweep import sweep

FORESTS = {
    "estimator": "sklearn.ensemble.RandomForestClassifier",
    "fixed": {"random_state": 0, "n_estimators": 9},
    "grid": {"max_depth": [1, 3, 6]},
    "scoring": "neg_log_loss",
    "cv": {"folds": 3, "shuffle": True, "seed": 0},
    "keep": "predictions",
}
N_ROWS = 120


def table():
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(draw.normal(size=(N_ROWS, 3)), columns=["a", "b", "c"])
    frame["y"] = np.where(frame["a"] + draw.normal(size=N_ROWS) > 0.9, "yes", "no")
    return frame


@dataclass
class Place:
    """Where one sweep has ended, and choices among its candidates are made."""

    folder: Path
    client: MlflowClient
    swept: str

    def newest(self):
        return self.client.search_runs(["1"], max_results=1)[0]

    def choose(self, **params: object):
        """Choose, and return the run; the exit code must be 0."""
        assert choose(["--run", self.swept, *(f"--{name}={value}" for name, value in params.items())]) == 0
        return self.newest()


def swept_in(folder: Path, monkeypatch, empty_store: Path, spec=FORESTS, frame=None) -> Place:
    (folder / "mlflow.db").write_bytes(empty_store.read_bytes())
    uri = f"sqlite:///{folder}/mlflow.db"
    client = MlflowClient(uri)
    assert client.create_experiment("test", artifact_location=str(folder / "artifacts")) == "1"
    monkeypatch.chdir(folder)
    for name, value in {"MLFLOW_TRACKING_URI": uri, "MLFLOW_EXPERIMENT_NAME": "test"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SWEEP_CACHE", str(folder / "cache"))
    for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID"):
        monkeypatch.delenv(name, raising=False)
    (table() if frame is None else frame).to_csv(folder / "mine.csv", index=False)
    (folder / "space.yaml").write_text(yaml.safe_dump(spec))
    asked = ["--features=mine.csv", "--target=y", "--space=space.yaml", "--holdout=0.1", "--cores=1"]
    assert sweep(asked) == 0
    (run,) = client.search_runs(["1"], "tags.`gridfold.kind` = 'sweep'")
    return Place(folder, client, run.info.run_id)


@pytest.fixture(scope="module")
def place(tmp_path_factory, empty_store):
    with pytest.MonkeyPatch.context() as patch:
        yield swept_in(tmp_path_factory.mktemp("choose"), patch, empty_store)


@pytest.fixture(autouse=True)
def _store(place, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{place.folder}/mlflow.db")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "test")
    mlflow.set_tracking_uri(None)


def out_of_fold(place):
    """What scikit-learn alone makes of the same candidates on the same folds, by depth; and the target."""
    frame = table()
    kept = pd.read_parquet(place.client.download_artifacts(place.swept, "predictions/out_of_fold.parquet"))
    train = frame.loc[sorted(kept["row"].unique())]
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    X, y = train[["a", "b", "c"]], train["y"]
    found = {
        depth: cross_val_predict(
            RandomForestClassifier(n_estimators=9, random_state=0, max_depth=depth), X, y, cv=folds,
            method="predict_proba",
        )[:, 1]
        for depth in (1, 3, 6)
    }  # fmt: skip
    return found, (y == "yes").to_numpy(), [test for _, test in folds.split(X, y)]


def test_another_scorer_chooses_without_a_fit_of_a_fold(place):
    found, y, folds = out_of_fold(place)
    by_hand = {depth: np.mean([roc_auc_score(y[k], p[k]) for k in folds]) for depth, p in found.items()}
    best = max(by_hand, key=by_hand.get)
    run = place.choose(scorer="roc_auc")
    assert run.data.params["max_depth"] == str(best)
    assert run.data.metrics["best_roc_auc"] == pytest.approx(by_hand[best])
    assert {"holdout_roc_auc", "holdout_neg_log_loss"} <= run.data.metrics.keys()
    version = place.client.get_model_version_by_alias("mine", "challenger")
    assert version.run_id == run.info.run_id
    assert f"-e choose --env-manager local -P run={place.swept} -P scorer=roc_auc" in version.description
    assert f"among 3 candidates of the sweep `{place.swept}`" in version.description
    model = mlflow.pyfunc.load_model("models:/mine@challenger")
    assert list(model.predict(table()[["a", "b", "c"]].head(3)).columns) == ["no", "yes"]
    assert run.data.params["features"] == "mine.csv"  # so that a promotion finds the rows
    assert not place.client.search_runs(["1"], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")


def test_the_sweep_says_what_its_winners_score_is_worth(place):
    swept = place.client.get_run(place.swept)
    worth = swept.data.metrics["corrected_neg_log_loss"]
    assert worth < swept.data.metrics["best_neg_log_loss"] + 0.02
    text = Path(place.client.download_artifacts(place.swept, "sweeping_results.txt")).read_text()
    assert text.splitlines()[-1].startswith(f"corrected: {worth:.5f}, 95%: ")
    assert "Chosen so among 3, a winner scores neg_log_loss" in swept.data.tags["mlflow.note.content"]


def test_one_standard_error_takes_the_simplest_that_is_as_good(place):
    table = pd.read_csv(place.client.download_artifacts(place.swept, "cv_results.csv"))
    splits = table[["split0_test_score", "split1_test_score", "split2_test_score"]].to_numpy()
    means = splits.mean(axis=1)
    floor = means.max() - splits[means.argmax()].std(ddof=1) / np.sqrt(3)
    simplest = table["param_max_depth"][means >= floor].min()
    assert place.choose(rule="one_standard_error").data.params["max_depth"] == str(simplest)


def test_a_threshold_is_the_best_over_the_folds_and_the_model_decides_by_it(place):
    found, y, folds = out_of_fold(place)
    depth = int(place.client.get_run(place.swept).data.params["max_depth"])

    def worth(threshold):
        return np.mean([f1_score(y[k], found[depth][k] >= threshold) for k in folds])

    run = place.choose(rule="threshold", scorer="{scorer: f1, pos_label: yes}")
    threshold = run.data.metrics["threshold"]
    assert run.data.metrics["threshold_f1_pos_label_yes"] == pytest.approx(worth(threshold))
    assert worth(threshold) == pytest.approx(max(map(worth, np.unique(found[depth]))))
    assert run.data.metrics["unseen_f1_pos_label_yes"] <= run.data.metrics["threshold_f1_pos_label_yes"]
    predicted = mlflow.pyfunc.load_model("models:/mine@challenger").predict(table()[["a", "b", "c"]])
    assert list(predicted.columns) == ["no", "yes", "predicted"]
    assert (predicted["predicted"] == np.where(predicted["yes"] >= threshold, "yes", "no")).all()


def test_an_ensemble_is_one_model_the_weighted_mean_of_its_members(place):
    found, y, folds = out_of_fold(place)
    run = place.choose(rule="ensemble")
    card = place.client.get_model_version_by_alias("mine", "challenger").description
    lines = [line for line in card.splitlines() if line.startswith(("| 0.", "| 1 "))]
    weights = {int(re.search(r'"max_depth":(\d+)', line)[1]): float(line.split("|")[1]) for line in lines}
    assert sum(weights.values()) == pytest.approx(1)
    assert run.data.metrics["members"] == len(weights) >= 2
    mean = sum(weight * found[depth] for depth, weight in weights.items())
    by_hand = np.mean([-log_loss(y[k], mean[k]) for k in folds])
    assert run.data.metrics["best_neg_log_loss"] == pytest.approx(by_hand, rel=1e-4)
    assert by_hand > run.data.metrics["alone_neg_log_loss"]
    assert run.data.metrics["unseen_neg_log_loss"] <= run.data.metrics["best_neg_log_loss"]
    frame = table()
    kept = pd.read_parquet(place.client.download_artifacts(place.swept, "predictions/out_of_fold.parquet"))
    train = frame.loc[sorted(kept["row"].unique())]
    X = frame[["a", "b", "c"]]
    alone = {
        depth: RandomForestClassifier(n_estimators=9, random_state=0, max_depth=depth)
        .fit(train[["a", "b", "c"]], train["y"])
        .predict_proba(X)[:, 1]
        for depth in weights
    }
    expected = sum(weight * alone[depth] for depth, weight in weights.items())
    predicted = mlflow.pyfunc.load_model("models:/mine@challenger").predict(X)
    assert predicted["yes"].to_numpy() == pytest.approx(expected, abs=1e-6)


def test_limits_take_the_best_that_is_small_enough(place):
    free = place.choose(max_size_mb=1_000)
    assert free.data.params["max_depth"] == place.client.get_run(place.swept).data.params["max_depth"]
    larger = place.choose(scorer="accuracy", max_latency_ms=1e6)
    assert larger.data.metrics["latency_ms"] > 0
    size = free.data.metrics["size_mb"]
    assert choose(["--run", place.swept, f"--max_size_mb={size / 1000}"]) == 1


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ({"run": ""}, "-P run: which sweep? Copy the id of its run from the sweep's page."),
        ({"run": "0" * 32}, f"-P run={'0' * 32}: there is no such run in this store."),
        ({"scorer": "roc_acu"}, "-P scorer=roc_acu: scikit-learn has no scorer 'roc_acu'. Did you mean 'roc_auc'?"),
        ({"scorer": "{scorer: f1, need: x}"}, "-P scorer={scorer: f1, need: x}: f1_need_x: got an unexpected keyword"),
        ({"scorer": "r2"}, "scorer=r2 cannot judge the predictions that were kept ("),
        ({"rule": "threshold"}, "scorer=neg_log_loss cannot judge decisions (AttributeError: "),
        ({"rule": "worst"}, "-P rule=worst: expected 'best', 'one_standard_error', 'threshold' or 'ensemble'."),
        ({"max_size_mb": "1e-6"}, "none of 3 candidates is within the limits; the best of them, #"),
        ({"rule": "threshold", "max_size_mb": "1"}, "-P rule=threshold decides for the sweep's winner"),
    ],
)
def test_what_cannot_be_chosen_is_said_in_one_line(place, capsys, asked, line):
    capsys.readouterr()
    assert choose([f"--{name}={value}" for name, value in ({"run": place.swept} | asked).items()]) == 1
    *stages, said = capsys.readouterr().err.strip().splitlines()
    assert line in said
    assert all(each.startswith("choice: ") for each in stages)  # of a slow machine
    assert place.newest().info.status == "FAILED"


def test_a_choice_is_no_sweep_and_rows_that_have_changed_are_refused(place, capsys):
    chosen = place.choose()
    assert choose(["--run", chosen.info.run_id]) == 1
    assert f"-P run={chosen.info.run_id}: it is no sweep" in capsys.readouterr().err
    kept = Path("mine.csv").read_text()
    try:
        Path("mine.csv").write_text(kept + "1,1,1,yes\n")
        assert choose(["--run", place.swept]) == 1
        assert "its rows are not what they were" in capsys.readouterr().err
    finally:
        Path("mine.csv").write_text(kept)
