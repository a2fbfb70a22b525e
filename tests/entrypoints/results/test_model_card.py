"""Every registered version has its card, and the command on it makes the model again."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import polars as pl

from entrypoints.parameters import SweepParams, parse
from entrypoints.results.model_card import command
from entrypoints.sweep import sweep
from features.raw_devices import EXAMPLE
from tests.entrypoints.conftest import ROOT, SMALL, SPACE
from tracking import EntryRun


def test_the_version_and_the_run_have_the_card_and_its_command_really_makes_the_model_again(workplace):
    assert sweep([*SMALL, "--space", workplace.space]) == 0
    text = workplace.client.get_model_version("demographics", "1").description
    run = workplace.newest_sweep()
    kept = workplace.client.download_artifacts(run.info.run_id, "model_card", str(workplace.folder))
    assert {path.path for path in workplace.client.list_artifacts(run.info.run_id, "model_card")} == {
        "model_card/model_card.md",
        "model_card/calibration.png",
    }
    assert len(text) <= 5_000
    assert text == Path(kept, "model_card.md").read_text()
    assert run.data.tags["sweep.features"] in text
    assert f"neg_log_loss {run.data.metrics['holdout_neg_log_loss']:.5f}" in text
    assert "| without events |" in text
    assert "Do not use it to decide about a person" in text

    [line] = re.findall(r"```sh\n(.*)\n```", text)
    Path(workplace.folder, "space.yaml").write_text("another sweep's by now")
    assert subprocess.run([sys.executable, "-m", *shlex.split(line)], cwd=ROOT, check=False).returncode == 0
    sent = pd.DataFrame([*EXAMPLE, {"phone_brand": "Huawei"}, {"phone_brand": "vivo", "device_model": "X5"}])
    first, again = (mlflow.pyfunc.load_model(f"models:/demographics/{version}").predict(sent) for version in (1, 2))
    np.testing.assert_array_equal(first.to_numpy(), again.to_numpy())


def test_the_command_says_what_the_defaults_were_and_nothing_of_how_it_ran(workplace):
    params = parse(SweepParams, ["--data", "my data", "--cores", "3", "--leak", "true"])
    run = EntryRun.begin("sweep")
    words = shlex.split(command(params, run))
    assert words[:6] == ["mlflow", "run", ".", "-e", "sweep", "--env-manager"]
    given = dict(word.split("=", 1) for word in words if "=" in word)
    assert given.pop("data") == "my data"
    assert given.pop("leak") == "true"
    assert given.pop("space") == f"runs:/{run.run_id}/quick.yaml"
    assert "cores" not in given
    assert parse(SweepParams, [word for name, value in given.items() for word in (f"--{name}", value)]) == SweepParams()


def test_the_card_of_a_table_is_about_that_table_and_its_command_makes_the_model_again(workplace):
    draw = np.random.default_rng(0)
    town, age = draw.choice(["here", "there"], 120), draw.normal(size=120)
    frame = pl.DataFrame({"age": age, "town": town, "home": np.arange(120) // 2, "won": (age > 0) ^ (town == "here")})
    frame.write_csv("mine.csv")
    spec = SPACE.replace('objective: "multi:softprob", ', "")
    (workplace.folder / "mine.yaml").write_text(spec)
    given = ["--features", "mine.csv", "--target", "won", "--groups", "home", "--holdout", "0.3", "--seed", "3"]
    assert sweep([*given, "--space", "mine.yaml"]) == 0
    text = workplace.client.get_model_version("mine", "1").description
    assert "It predicts `won`; rows that agree in `home` stay together." in text
    assert "2 columns: `age` float64, `town` category." in text
    assert "## Classes" in text
    assert "| class | &emsp;rows |" in text
    assert "evice" not in text

    [line] = re.findall(r"```sh\n(.*)\n```", text)
    words = [word for word in shlex.split(line) if "=" in word]
    assert not {"data", "scale", "feature_sets"} & {word.partition("=")[0] for word in words}
    Path(workplace.folder, "mine.yaml").write_text("another sweep's by now")
    assert sweep([part for word in words for part in ("--" + word.partition("=")[0], word.partition("=")[2])]) == 0
    first, again = (
        mlflow.pyfunc.load_model(f"models:/mine/{version}").predict(frame.to_pandas()) for version in (1, 2)
    )
    np.testing.assert_array_equal(first.to_numpy(), again.to_numpy())


def test_a_regression_on_a_table_of_ones_own_has_a_card_without_groups(workplace):
    draw = np.random.default_rng(0)
    frame = pl.DataFrame({"a": draw.normal(size=60), "b": draw.normal(size=60)}).with_columns(y=pl.col("a") * 2)
    frame.write_csv("mine.csv")
    (workplace.folder / "ridge.yaml").write_text(
        "estimator: sklearn.linear_model.Ridge\ngrid: {alpha: [0.1, 1.0]}\nscoring: r2\ncv: {folds: 2}\n"
    )
    assert sweep(["--features", "mine.csv", "--target", "y", "--space", "ridge.yaml"]) == 0
    text = workplace.client.get_model_version("mine", "1").description
    assert "## Groups" not in text
    assert "| `a` |" in text
    assert "whom a wrong prediction harms" in text
