"""What the audit finds is said before the first fit, kept with the run, and refused where the spec is strict."""

import csv

import numpy as np
import pandas as pd
import pytest

from entrypoints.data.rows import training_and_holdout
from entrypoints.sweep import sweep
from features import build
from sources.synthetic.tables import generate
from tuning import SweepSpec
from tuning.audit import audited

SPACE = """
estimator: sklearn.linear_model.LogisticRegression
grid: {C: [0.1, 1.0]}
scoring: accuracy
cv: {folds: 2}
audit: %s
"""


@pytest.fixture
def leaking(workplace):
    """A table of which a column is the target in other words, and a row stands twenty times."""
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(draw.normal(size=(200, 3)), columns=["a", "b", "c"])
    frame["y"] = (frame["a"] + draw.normal(size=200) > 0).map({True: "yes", False: "no"})
    frame["paid"] = (frame["y"] == "yes").astype(int)
    pd.concat([frame, *[frame.iloc[[7]]] * 19]).to_csv("mine.csv", index=False)
    return ["--features", "mine.csv", "--target", "y"]


def spec_file(workplace, audit):
    (workplace.folder / "space.yaml").write_text(SPACE % audit)
    return ["--space", "space.yaml"]


def test_findings_are_said_first_and_kept_in_the_run(workplace, leaking, capsys):
    assert sweep([*leaking, *spec_file(workplace, "warn")]) == 0
    said = capsys.readouterr().out
    assert "audit    GF201 20 rows in 1 set are exact copies" in said
    assert said.index("audit    GF205 column 'paid' predicts the target") < said.index("best     #")
    run = workplace.newest_sweep()
    folder = workplace.client.download_artifacts(run.info.run_id, "")
    with open(f"{folder}/audit.csv", newline="") as file:
        copies, giveaway = csv.DictReader(file)
    assert set(map(int, copies["rows"].split())) == {7, *range(200, 219)}
    assert (giveaway["code"], giveaway["columns"], giveaway["rows"]) == ("GF205", "paid", "")
    assert "**GF205**" in run.data.tags["mlflow.note.content"] or "[GF205]" in run.data.tags["mlflow.note.content"]
    with open(f"{folder}/report.html", encoding="utf-8") as page:
        assert "<b>GF201</b>" in page.read()


def test_strict_refuses_in_one_line_before_any_fit(workplace, leaking, capsys):
    assert sweep([*leaking, *spec_file(workplace, "strict")]) == 1
    (line,) = [each for each in capsys.readouterr().err.splitlines() if "GF201" in each]
    assert line.startswith("audit: GF201 20 rows") or "audit: GF201 20 rows" in line
    assert "(and GF205)" in line
    run = workplace.newest_sweep()
    assert run.info.status == "FAILED"
    assert line.partition("audit: ")[2] in run.data.tags["mlflow.note.content"]
    assert not workplace.children(run.info.run_id)
    assert [each.path for each in workplace.client.list_artifacts(run.info.run_id) if each.path == "audit.csv"]


@pytest.mark.parametrize("leak", [False, True])
def test_of_the_synthetic_data_only_the_leak_is_found(leak):
    tables = {name: table.lazy() for name, table in generate(0.02, 0, leak)}
    train, holdout = training_and_holdout(build(tables, ["brand_model", "app_labels"]))
    spec = SweepSpec(estimator="xgboost.XGBClassifier", grid={"max_depth": [1]}, scoring="neg_log_loss")
    found = audited(spec, train, holdout)
    assert [each.code for each in found] == (["GF203"] if leak else [])
    if leak:
        assert "in 2" in found[0].words
        assert "chance has it in 9" in found[0].words
