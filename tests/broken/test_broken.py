"""Whatever is broken, the command ends in one line that says so, and leaves nothing running.

The inputs are data: ``cases/*.yaml``, each a list of cases. A case says what differs from a sweep that works: files
(see ``makers``), keys of the spec, parameters, variables of the environment; and a part of the line that is expected.
All run in this process, since starting Python three times a case would be all that is measured; a few run as a person
starts them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflow import MlflowClient

from cache import limits
from tests.broken.makers import make

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SECONDS = 30
LARGEST = 10 * 2**20
"""In place of the gigabyte that a file may unpack to, which takes long to make."""

SOUND: dict[str, Any] = {
    "t.csv": {
        "table": {
            "a": {"range": 60},
            "b": {"turns": [1, 2, 3, 5, 7]},
            "c": {"turns": ["u", "v", "w"]},
            "y": {"turns": [0, 1]},
        }
    }
}
SPEC: dict[str, Any] = {
    "estimator": "sklearn.tree.DecisionTreeClassifier",
    "fixed": {"random_state": 0},
    "grid": {"max_depth": [1, 2]},
    "scoring": "accuracy",
    "cv": {"folds": 2},
}
ARGUMENTS = {"features": "t.csv", "target": "y", "space": "s.yaml", "holdout": "0", "cores": "1"}
AS_A_PERSON_STARTS_THEM = ("matrices: column beyond the last", "spec-files: pipe")
ASIDE = ("a defect", "Traceback", "\x1b", "\x00")


FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the other takes seconds for all cases


class HangError(BaseException):
    """Nobody catches it by the way."""


def cases() -> Iterator[Any]:
    for file in sorted((HERE / "cases").glob("*.yaml")):
        for case in yaml.load(file.read_text(encoding="utf-8"), Loader=FAST):
            yield pytest.param(case, id=f"{file.stem}: {case['name']}")


CASES = list(cases())


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowClient]:
    """One store for all: what a case leaves in it, the next one would find."""
    folder = tmp_path_factory.mktemp("store")
    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    client.create_experiment("broken", artifact_location=str(folder / "artifacts"))
    return client


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: MlflowClient) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store.tracking_uri)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "broken")
    monkeypatch.setenv("SWEEP_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    return tmp_path


def arguments_of(case: dict[str, Any], place: Path, seven: Path) -> list[str]:
    """Write the case's files, and return its command line."""
    spec = case.get("spec", {})
    whole = spec if isinstance(spec, str) else yaml.safe_dump({k: v for k, v in (SPEC | spec).items() if v is not None})
    for name, content in (SOUND | {"s.yaml": whole} | case.get("files", {})).items():
        make(place / name, content, seven)
    given = (ARGUMENTS if case.get("entry", "sweep") == "sweep" else {}) | case.get("args", {})
    return [word for name, value in given.items() for word in (f"--{name}", _text(value))]


def _text(value: Any) -> str:
    """Return a value as typed; ``{text: [TEXT, TIMES]}`` is one that is too long to be written down."""
    return "".join(part * times for part, times in [value["text"]]) if isinstance(value, dict) else str(value)


@contextmanager
def no_longer_than(seconds: int) -> Iterator[None]:
    """Break off what hangs; nothing here takes a tenth of it."""

    def late(number: int, frame: object) -> None:
        raise HangError(f"no end within {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def running_in(store: MlflowClient) -> list[Any]:
    [experiment] = store.search_experiments(filter_string="name = 'broken'")
    return list(store.search_runs([experiment.experiment_id], "attributes.status = 'RUNNING'"))


def judge(case: dict[str, Any], code: int, out: str, err: str) -> None:
    lines = [line for line in err.splitlines() if not line.startswith("sweep: ")]  # of the progress of fits
    assert code not in (0, None), out
    assert len(lines) == case.get("lines", 1), err
    assert not [word for word in ASIDE if word in err + out]
    assert case["said"] in lines[-1]


@pytest.mark.parametrize("case", CASES)
def test_it_ends_in_one_line_with_nothing_running(case, place, store, synthetic_folder, monkeypatch, capfd):
    arguments = arguments_of(case, place, synthetic_folder)
    for name, value in case.get("env", {}).items():
        monkeypatch.setenv(name, value.format(place=place))
    monkeypatch.setattr(limits, "ALWAYS", LARGEST)
    entry = getattr(import_module(f"entrypoints.{case.get('entry', 'sweep')}"), case.get("entry", "sweep"))
    with no_longer_than(SECONDS):
        code = entry(arguments)
    out, err = capfd.readouterr()
    judge(case, code, out, err)
    assert not running_in(store)


@pytest.mark.parametrize("case", [case for case in CASES if case.id in AS_A_PERSON_STARTS_THEM])
def test_it_does_so_as_a_person_starts_it(case, place, store, synthetic_folder):
    arguments = arguments_of(case, place, synthetic_folder)
    done = subprocess.run(
        [sys.executable, "-m", "entrypoints.sweep", *arguments],
        cwd=place,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=10 * SECONDS,
        check=False,
    )
    judge(case, done.returncode, done.stdout, done.stderr)
    assert not running_in(store)
