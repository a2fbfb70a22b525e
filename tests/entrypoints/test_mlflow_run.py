"""The real command, in a process of its own: what `mlflow run` makes of an entry point's exit, signals and files."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.entrypoints.conftest import ROOT, SMALL

pytestmark = pytest.mark.disturbs

MANY = """
estimator: xgboost.XGBClassifier
fixed: {random_state: 0, objective: "multi:softprob", max_bin: 16, n_estimators: 30}
grid: {max_depth: [1, 2, 3, 4, 5, 6, 7, 8], learning_rate: [0.1, 0.2, 0.3, 0.4, 0.5], reg_lambda: [1, 2, 3, 4, 5]}
scoring: neg_log_loss
cv: {folds: 3, shuffle: true, seed: 0}
search: {strategy: grid}
"""  # minutes in all, an instant each


def mlflow_run(project: Path, entry: str, arguments: list[str]) -> subprocess.Popen:
    """Start ``mlflow run``; `arguments` as an entry point takes them."""
    names, values = arguments[::2], arguments[1::2]
    parameters = [word for name, value in zip(names, values, strict=True) for word in ("-P", f"{name[2:]}={value}")]
    mlflow = [sys.executable, "-m", "mlflow", "run", str(project), "-e", entry, "--env-manager", "local"]
    return started([*mlflow, *parameters])


def started(command: list[str], cwd: Path | None = None) -> subprocess.Popen:
    """Start a command in a process group of its own, with this Python as ``python``."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.Popen(
        command,
        cwd=cwd,
        env=os.environ | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finished(process: subprocess.Popen) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a process that ends by itself."""
    try:
        out, err = process.communicate(timeout=180)
    finally:
        end(process)
    return process.returncode, out, err


def end(process: subprocess.Popen) -> None:
    """End ``mlflow run`` and the entry point under it, if they have not ended."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def test_a_sweep_records_live_children_on_the_run_that_mlflow_made(workplace):
    code, out, err = finished(mlflow_run(ROOT, "sweep", [*SMALL, "--space", workplace.space]))
    assert code == 0, err
    run = workplace.newest_sweep()
    assert run.info.run_id in out
    assert run.info.status == "FINISHED"
    assert run.data.tags["mlflow.project.entryPoint"] == "sweep"
    assert run.data.params["scale"] == "0.005"
    assert run.data.params["holdout"] == "0.1"
    assert len(workplace.children(run.info.run_id)) == 4
    assert workplace.client.get_model_version_by_alias("demographics", "challenger").run_id == run.info.run_id
    assert "Warning" not in out + err


def test_a_change_in_the_code_that_makes_features_makes_them_anew(workplace):
    project = workplace.folder / "project"
    keep = {"MLproject", "conda.yaml", "errors.py", "masking.py", "yaml12.py", "cache"}
    keep |= {"entrypoints", "features", "sources", "tracking", "tuning"}
    project.mkdir()
    for name in keep:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, project / name)
    how = []
    for _ in range(2):
        code, out, err = finished(mlflow_run(project, "featurize", SMALL))
        assert code == 0, err
        how.append([line.partition(": ")[2].split()[0] for line in out.splitlines()])
        with (project / "features" / "build.py").open("a") as source:
            source.write("# changed\n")
    assert how == [["made", "made"], ["reused", "made"]]


def test_bad_input_is_one_line_and_the_command_fails(workplace):
    code, out, err = finished(mlflow_run(ROOT, "sweep", ["--data", "nowhere"]))
    run = workplace.newest_sweep()
    ours = [line for line in err.splitlines() if " mlflow" not in line]
    assert code == 1
    assert out == ""
    assert ours == [run.data.tags["mlflow.note.content"]]
    assert run.info.status == "FAILED"


def test_ctrl_c_ends_the_children_killed_and_says_so_on_the_run(workplace):
    process = mlflow_run(ROOT, "sweep", [*SMALL, "--space", many(workplace)])
    try:
        parent = wait_for_a_finished_fold(workplace, process)
        os.killpg(process.pid, signal.SIGINT)  # a terminal's Ctrl-C reaches everyone on it
        code, _, err = finished(process)
    finally:
        end(process)
    assert code != 0
    assert "interrupted (SIGINT)." in err.splitlines()
    assert "Traceback" not in err
    run = workplace.client.get_run(parent)
    assert run.data.tags["mlflow.note.content"] == "interrupted (SIGINT)."
    assert run.info.status == "FAILED"  # KILLED by us; a local `mlflow run` then sets it by the exit code
    assert_children_ended(workplace, parent)


def test_a_killed_entry_point_leaves_its_run_killed(workplace):
    process = started([sys.executable, "-m", "entrypoints.sweep", *SMALL, "--space", many(workplace)], cwd=ROOT)
    try:
        parent = wait_for_a_finished_fold(workplace, process)
        process.send_signal(signal.SIGTERM)
        code, _, err = finished(process)
    finally:
        end(process)
    assert code == 128 + signal.SIGTERM
    assert err.splitlines()[-1] == "interrupted (SIGTERM)."
    assert "Traceback" not in err
    assert workplace.client.get_run(parent).info.status == "KILLED"
    assert_children_ended(workplace, parent)


def many(workplace) -> str:
    path = workplace.folder / "many.yaml"
    path.write_text(MANY)
    return str(path)


def assert_children_ended(workplace, parent: str) -> None:
    statuses = [child.info.status for child in workplace.children(parent)]
    assert set(statuses) <= {"KILLED", "FINISHED"}
    assert len(statuses) < 200


def wait_for_a_finished_fold(workplace, process: subprocess.Popen) -> str:
    """Return the sweep's run once one of its children shows a score."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        for run in workplace.runs():
            if any(name.startswith("split") for name in run.data.metrics):
                return run.data.tags["mlflow.parentRunId"]
        time.sleep(0.3)
    end(process)
    raise AssertionError(f"no fold ended: {process.communicate()}")
