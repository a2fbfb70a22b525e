"""Promotion as its user meets it: the better model becomes champion, anything else changes nothing."""

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from xgboost import XGBClassifier

import entrypoints.promote as module
from entrypoints.data.pipeline import features_for, featurizer_for
from entrypoints.parameters import FeaturizeParams, parse
from entrypoints.promote import promote
from tests.entrypoints.conftest import SMALL
from tracking import EntryRun, FittedModel, aliases
from tracking.registry import log_and_register

GATES = "{rows: {minimum: 20}, slices: {minimum_rows: 15}}"
UNIFORM = DummyClassifier(strategy="uniform")


def knowing() -> XGBClassifier:
    """A model that is better than any honest one, since it learns from the hold-out too."""
    return XGBClassifier(n_estimators=5, max_depth=6, learning_rate=1.0, n_jobs=1)


@pytest.fixture(autouse=True)
def brief(monkeypatch):
    monkeypatch.setattr(aliases, "_SECONDS_TO_SETTLE", 0.01)


@pytest.fixture
def registered(workplace):
    """A function that registers a fitted model as a sweep would."""
    (workplace.folder / "promotion.yaml").write_text(GATES)

    def register(estimator, *arguments: str, name: str = "demographics") -> int:
        params = parse(FeaturizeParams, [*SMALL, *arguments])
        with EntryRun.begin("sweep") as run:
            run.log_params(params.model_dump())
            matrix = features_for(params, run)
            classes, codes = np.unique(matrix.rows["label"].to_numpy().astype(str), return_inverse=True)
            fitted = FittedModel(
                estimator.fit(matrix.X, codes),
                matrix.X[:3],
                classes.tolist(),
                matrix.columns["name"].to_list(),
                preparation=featurizer_for(params, matrix),
            )
            return log_and_register(run, fitted, name).version

    return register


@pytest.fixture
def champion(registered):
    """A poor champion, version 1."""
    registered(UNIFORM)
    assert promote([]) == 0


def at(workplace, alias="champion", name="demographics") -> int | None:
    found = aliases.at_alias(workplace.client, name, alias)
    return found and found.number


def refused(capsys, *arguments: str) -> str:
    capsys.readouterr()
    assert promote(list(arguments)) == 1
    return capsys.readouterr().err.splitlines()[-1]


def test_the_first_champion_needs_no_other(workplace, registered, capsys):
    registered(UNIFORM)
    assert promote([]) == 0
    assert "demographics version 1 is champion, the first" in capsys.readouterr().out
    assert at(workplace) == 1


def test_a_better_model_succeeds_and_the_version_says_why(workplace, champion, registered, capsys):
    registered(knowing())
    assert promote(["--reason", "it knows more"]) == 0
    printed = capsys.readouterr().out
    assert "promote  demographics version 2 is champion, in place of version 1" in printed
    assert "| gain | " in printed
    tags = aliases.at_alias(workplace.client, "demographics", "champion").tags
    assert float(tags["promotion.gain_low"]) > 0
    assert tags["promotion.reason"] == "it knows more"
    assert tags["promotion.over"] == "1"
    run = workplace.runs()[0]
    assert run.info.run_id == tags["promotion.run"]
    assert "| gain | " in run.data.tags["mlflow.note.content"]
    assert run.data.metrics["champion_log_loss"] == pytest.approx(np.log(12))
    assert run.data.metrics["challenger_log_loss"] == pytest.approx(np.log(12) - run.data.metrics["gain"])


def test_a_worse_model_changes_nothing_and_the_line_says_which_gate_and_by_how_much(workplace, registered, capsys):
    registered(knowing())
    assert promote([]) == 0
    registered(UNIFORM)
    line = refused(capsys)
    assert "demographics version 2 does not pass the" in line
    assert "gain: -" in line
    assert "below the minimum 0" in line
    assert "gain where events is some" in line or "gain where events is none" in line
    assert line.endswith("Nothing was changed.")
    assert at(workplace) == 1
    assert not aliases.at_alias(workplace.client, "demographics", "challenger").tags


def test_a_dry_run_judges_and_changes_nothing(workplace, champion, registered, capsys):
    registered(knowing())
    assert promote(["--dry_run", "true"]) == 0
    assert "it was a dry run" in capsys.readouterr().out
    assert at(workplace) == 1
    (workplace.folder / "promotion.yaml").write_text("size_mb: {maximum: 0.001}")
    assert "size_mb" in refused(capsys, "--dry_run", "true")


def test_rolling_back_is_one_command(workplace, champion, registered, capsys):
    registered(knowing())
    promote([])
    assert promote(["--rollback", "true", "--reason", "too slow"]) == 0
    assert "demographics version 1 is champion again, in place of version 2" in capsys.readouterr().out
    assert at(workplace) == 1
    assert "first champion" in refused(capsys, "--rollback", "true")


def test_the_champion_itself_has_nothing_to_win(workplace, champion, capsys):
    assert promote([]) == 0
    assert "demographics version 1 is the champion of demographics already" in capsys.readouterr().out


def test_without_a_challenger_it_says_how_to_get_one(workplace, capsys):
    (workplace.folder / "promotion.yaml").write_text(GATES)
    assert "demographics@challenger: no version has this alias. Run a sweep" in refused(capsys)


def test_between_environments_a_copy_is_promoted_and_compared_with_the_champion_there(workplace, registered, capsys):
    registered(UNIFORM)
    assert promote(["--to", "production"]) == 0
    assert (at(workplace, name="production"), at(workplace)) == (1, None)
    assert promote(["--to", "production"]) == 0
    assert "is the champion of production already" in capsys.readouterr().out
    registered(knowing())
    assert promote(["--to", "production"]) == 0
    assert at(workplace, name="production") == 2
    registered(UNIFORM)
    assert "gain" in refused(capsys, "--to", "production")
    assert len(workplace.client.search_model_versions("name='production'")) == 2


def test_devices_that_the_champion_learned_from_are_left_out(workplace, registered, capsys):
    registered(UNIFORM, "--holdout", "0.2")
    assert promote([]) == 0
    registered(knowing(), "--holdout", "0.5")
    assert promote(["--dry_run", "true"]) == 0
    champions, ours = sorted(map(held_out_of, (workplace.folder / "cache" / "features").iterdir()), key=len)
    words = f"Held-out devices: {len(ours & champions)} ({len(ours - champions)} more left out, which the champion"
    assert words in capsys.readouterr().out
    assert ours - champions
    registered(knowing(), "--holdout", "0")
    assert "rows: 0 is 20 below the minimum 20" in refused(capsys)
    assert at(workplace) == 1


def held_out_of(features) -> set[int]:
    rows = pd.read_parquet(features / "rows.parquet")
    return set(rows["device_id"][rows["split"] == "holdout"])


def test_a_champion_that_changed_while_comparing_stops_the_promotion(
    workplace, champion, registered, capsys, monkeypatch
):
    registered(knowing())
    registered(knowing())
    judge = module._judge

    def meanwhile(*arguments):
        verdict = judge(*arguments)
        workplace.client.set_registered_model_alias("demographics", "champion", "2")
        return verdict

    monkeypatch.setattr(module, "_judge", meanwhile)
    assert "the champion is demographics version 2 now, not demographics version 1" in refused(capsys)
    assert at(workplace) == 2
