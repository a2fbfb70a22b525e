"""What has been made once is found again: in the cache, else in the tracking store; and never for another question."""

import shutil
import time

import pytest

from entrypoints.data import pipeline
from entrypoints.featurize import featurize
from entrypoints.ingest import ingest
from features import FeatureMatrix
from sources.ingest import KIND as TABLES
from tests.entrypoints.conftest import SMALL


def lines(capsys) -> dict[str, str]:
    """The printed lines by the step that they speak of."""
    return {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}


def test_the_second_time_everything_is_reused_and_one_line_each_says_so(workplace, capsys):
    assert featurize(SMALL) == 0
    first = lines(capsys)
    assert featurize(SMALL) == 0
    second = lines(capsys)
    assert ": made in " in first["tables"]
    assert ": made in " in first["features"]
    assert {step: line.split()[1] for step, line in first.items()} == {
        step: line.split()[1] for step, line in second.items()
    }
    assert ": reused from the cache" in second["tables"]
    assert ": reused from the cache" in second["features"]


@pytest.mark.parametrize(
    ("changed", "tables"),
    [
        (["--scale", "0.006"], "made"),
        (["--leak", "true"], "made"),
        (["--seed", "1"], "made"),
        (["--holdout", "0.2"], "reused"),
        (["--feature_sets", "brand_model"], "reused"),
    ],
)
def test_another_question_is_not_answered_with_an_old_result(workplace, capsys, changed, tables):
    assert featurize(SMALL) == 0
    capsys.readouterr()
    assert featurize([*SMALL, *changed]) == 0
    printed = lines(capsys)
    assert f": {tables} " in printed["tables"]
    assert ": made in " in printed["features"]


def test_a_machine_with_an_empty_cache_takes_the_features_from_the_tracking_store(workplace, capsys):
    featurize(SMALL)
    [made] = workplace.runs("featurize")
    here = next((workplace.folder / "cache/features").iterdir())
    X = FeatureMatrix.load(here).X
    shutil.rmtree(here)
    capsys.readouterr()
    assert featurize(SMALL) == 0
    assert f": fetched from run {made.info.run_id} " in lines(capsys)["features"]
    assert (FeatureMatrix.load(here).X != X).nnz == 0


def test_an_ingest_is_a_step_with_its_manifest_and_seven_dataset_inputs(workplace):
    assert ingest(["--scale", "0.005"]) == 0
    [run] = workplace.runs("ingest")
    [fingerprint] = [path.name for path in (workplace.folder / "cache" / TABLES).iterdir()]
    assert run.info.status == "FINISHED"
    assert run.data.tags["step.fingerprint"] == fingerprint
    assert [artifact.path for artifact in workplace.client.list_artifacts(run.info.run_id)] == ["manifest.json"]
    inputs = {entry.dataset.name for entry in run.inputs.dataset_inputs}
    assert inputs == {
        "gender_age_train",
        "gender_age_test",
        "phone_brand_device_model",
        "events",
        "app_events",
        "app_labels",
        "label_categories",
    }


def test_a_step_of_its_own_began_when_its_work_did(workplace, monkeypatch):
    real = pipeline.ingest

    def slow(*arguments):
        time.sleep(1)
        return real(*arguments)

    monkeypatch.setattr(pipeline, "ingest", slow)
    assert featurize(SMALL) == 0
    [step], [run] = workplace.runs("ingest"), workplace.runs("featurize")
    assert step.info.end_time - step.info.start_time >= 1_000
    assert run.info.start_time <= step.info.start_time


def test_tables_that_featurize_had_to_make_are_a_step_of_their_own_beside_it(workplace):
    assert featurize(SMALL) == 0
    [step], [run] = workplace.runs("ingest"), workplace.runs("featurize")
    assert run.data.tags["uses.ingest"] == step.info.run_id
    assert "mlflow.parentRunId" not in step.data.tags
    assert {artifact.path for artifact in workplace.client.list_artifacts(run.info.run_id, "features")} == {
        "features/matrix.npz",
        "features/columns.parquet",
        "features/rows.parquet",
        "features/manifest.json",
    }
