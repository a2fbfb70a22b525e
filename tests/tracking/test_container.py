"""What ``mlflow models build-docker`` builds from: the model, whole, and the versions that it was made with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import mlflow
import pandas as pd

from features.raw_devices import EXAMPLE
from tests.tracking import small_model
from tests.tracking.small_model import GROUPS
from tracking import EntryRun
from tracking.registry import log_and_register


def test_the_generated_context_holds_the_model_and_what_it_needs(client, tmp_path):
    with EntryRun.begin("sweep") as run:
        model = log_and_register(run, small_model.fit()[0], "demographics", alias="champion")
    command = [sys.executable, "-m", "mlflow", "models", "generate-dockerfile", "-m", model.uri]
    subprocess.run([*command, "-d", str(tmp_path / "context")], check=True, cwd=tmp_path, capture_output=True)

    recipe = (tmp_path / "context" / "Dockerfile").read_text()
    copied = [line.split()[1] for line in recipe.splitlines() if line.startswith("COPY")]
    assert "model_dir" in copied
    assert recipe.splitlines()[1].startswith(f"FROM python:{sys.version_info.major}.{sys.version_info.minor}")
    folder = tmp_path / "context" / "model_dir"
    needs = (folder / "requirements.txt").read_text().splitlines()
    assert all("==" in line for line in needs)
    predicted = mlflow.pyfunc.load_model(str(folder)).predict(pd.DataFrame(list(EXAMPLE)))
    assert list(predicted.columns) == GROUPS
    assert not list(Path(folder).rglob("*.pkl"))
