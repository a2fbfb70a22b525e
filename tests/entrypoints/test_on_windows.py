"""The whole way from tables to predictions with nothing of POSIX in sight: see ``tests/services/windows``."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pandas as pd
import pytest
import yaml
from mlflow import MlflowClient
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.tree import DecisionTreeClassifier

from sources.synthetic import generate
from tests.entrypoints.conftest import ROOT, SPACE
from tests.services import windows

PROGRAM = """
import json, multiprocessing, sys
from importlib import import_module

if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    for name, *arguments in json.loads(sys.argv[1]):
        sys.argv = [name, *arguments]
        try:
            getattr(import_module(f"entrypoints.{name}"), name).main()
        except SystemExit as end:
            if end.code:
                sys.exit(f"{name} has ended with {end.code}")
"""
GATES = "{rows: {minimum: 5}, slices: {minimum_rows: 5}}"
TREES = {
    "estimator": "sklearn.tree.DecisionTreeClassifier",
    "fixed": {"random_state": 0},
    "grid": {"max_depth": [1, 2, 3]},
    "scoring": "accuracy",
    "cv": {"folds": 3, "shuffle": True, "seed": 0},
    "search": {"strategy": "grid"},
}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A user's folder, its path with a drive and a blank in it."""
    folder = tmp_path_factory.mktemp("machine") / "C:" / "Users" / "Ann Example"
    (folder / "the tables").mkdir(parents=True)
    for name, frame in generate(scale=0.005, seed=0, leak=False):
        frame.write_csv(folder / "the tables" / f"{name}.csv", datetime_format="%Y-%m-%d %H:%M:%S")
    (folder / "the space.yaml").write_text(SPACE)
    (folder / "trees.yaml").write_text(yaml.safe_dump(TREES))
    (folder / "promotion.yaml").write_text(GATES)
    rows = pd.DataFrame({"größe": [n % 7 for n in range(60)], "y": [str(n % 7 > 2 or n % 5 == 0) for n in range(60)]})
    rows.to_csv(folder / "rows of mine.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def done(home):
    """What entry points have said, run one after the other in one process of the pretended machine."""
    data = ["--data", str(home / "the tables")]
    sets = ["--feature_sets", "brand_model,weekday_hour"]
    own = [
        "--features",
        str(home / "rows of mine.csv"),
        "--target",
        "y",
        "--space",
        "trees.yaml",
        "--holdout",
        "0",
        "--cores",
        "2",
    ]
    commands = [
        ["ingest", *data],
        ["featurize", *data, *sets],
        ["sweep", *data, *sets, "--space", str(home / "the space.yaml")],
        ["promote"],
        ["score", *data, "--output", "who they are.csv"],
        ["sweep", *own],
    ]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    places = {"MLFLOW_TRACKING_URI": f"sqlite:///{home}/mlflow.db", "SWEEP_CACHE": f"{home}/cache"}
    there = windows.environment()
    there["PYTHONPATH"] += f"{os.pathsep}{ROOT}"
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(commands)],
        env=kept | places | there,
        cwd=home,
        capture_output=True,
        text=True,
        encoding="cp1252",
        check=False,
    )


def test_a_model_is_made_promoted_and_used(home, done):
    assert done.returncode == 0, done.stderr
    assert "demographics version 1 is champion" in done.stdout
    test = pd.read_csv(home / "the tables" / "gender_age_test.csv")
    assert list(pd.read_csv(home / "who they are.csv")["device_id"]) == list(test["device_id"])


def test_worker_processes_fit_the_rows_of_a_file(home, done):
    client = MlflowClient(f"sqlite:///{home}/mlflow.db")
    [version] = client.search_model_versions("name = 'rows of mine'")
    run = client.get_run(version.run_id)
    rows = pd.read_csv(home / "rows of mine.csv")
    search = GridSearchCV(
        DecisionTreeClassifier(random_state=0),
        TREES["grid"],
        cv=StratifiedKFold(3, shuffle=True, random_state=0),
        scoring="accuracy",
    ).fit(rows[["größe"]], rows["y"])
    assert run.data.metrics["best_accuracy"] == pytest.approx(search.best_score_)


def test_nothing_is_left_of_what_was_locked_or_not_finished(home, done):
    left = [path for path in home.rglob("*") if path.suffix in (".held", ".lock") or "unfinished" in path.name]
    assert left == []


def test_the_pretence_hides_what_windows_lacks_and_keeps_open_files_in_place(tmp_path):
    modules, names = windows.lacking()
    assert {"fcntl", "pwd", "resource", "termios"} <= {*modules}
    assert {"fork", "killpg", "getuid"} <= {*names["os"]}
    assert {"SIGHUP", "SIGKILL"} <= {*names["signal"]}
    own = tmp_path / "ours.py"
    own.write_text("import os\nheld = open('rows', 'w')\nos.replace('rows', 'other')\n")
    command = [sys.executable, "-c", "import ours"]
    place = os.environ | windows.environment()
    said = subprocess.run(command, env=place, cwd=tmp_path, capture_output=True, text=True, check=False).stderr
    assert "PermissionError: [Errno 13] another process uses the file: 'rows'" in said
