"""Real processes, stopped in every way that there is: nothing is left RUNNING, nobody is left behind."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from entrypoints.command.launcher import _mlflow_run
from tests.entrypoints.conftest import ROOT
from tests.entrypoints.test_mlflow_run import end, finished, mlflow_run, started

pytestmark = pytest.mark.disturbs

WAIT = 240  # seconds, on a machine that does much else
SPACE = """
estimator: unruly.Unruly
fixed: {diary: DIARY}
grid: {number: [1, 2], mood: [calm, spin]}
scoring: accuracy
cv: {folds: 2, seed: 0}
"""


@pytest.fixture
def hanging(workplace):
    """Arguments of a sweep of which two candidates are judged and two never end, in worker processes."""
    shutil.copy(Path(__file__).parents[1] / "tuning" / "unruly.py", "unruly.py")
    Path("rows.csv").write_text("a,y\n" + "".join(f"{n},{'no' if n % 2 else 'yes'}\n" for n in range(40)))
    Path("space.yaml").write_text(SPACE.replace("DIARY", str(workplace.folder / "diary")))
    given = {"features": "rows.csv", "target": "y", "space": "space.yaml", "cores": "2"}
    return [
        word
        for name, value in given.items()
        for word in (f"--{name}", str(workplace.folder / value) if "." in value else value)
    ]


def until(answers):
    deadline = time.monotonic() + WAIT
    while not (answer := answers()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return answer


def spinning(workplace):
    """Return the worker processes once two fits hang."""
    diary = workplace.folder / "diary"
    moods = until(lambda: diary.exists() and diary.read_text().count("spin") >= 2 and diary.read_text())
    return [psutil.Process(int(line.split()[1])) for line in moods.splitlines() if line.startswith("spin")]


def gone(processes):
    return not [each for each in processes if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


def statuses(workplace):
    return sorted(run.info.status for run in workplace.runs())


def test_ctrl_c_says_what_is_known_and_how_it_goes_on_though_fits_hang(workplace, hanging):
    process = started([sys.executable, "-m", "entrypoints.sweep", *hanging], cwd=ROOT)
    try:
        workers = spinning(workplace)
        until(lambda: [run for run in workplace.runs() if run.info.status == "FINISHED"])
        process.send_signal(signal.SIGINT)
        code, _, err = finished(process)
    finally:
        end(process)
    *words, last = err.splitlines()
    rows = {line.partition(" ")[0]: line for line in words}
    assert code == 128 + signal.SIGINT
    assert last == "interrupted (SIGINT)."
    assert "mood=calm, accuracy 0.5" in rows["best"]
    assert "judged on every fold" in rows["best"]
    assert rows["go"] == f"go on    python -m entrypoints.sweep {' '.join(hanging)}"
    assert "RUNNING" not in statuses(workplace)
    assert statuses(workplace).count("KILLED") >= 1
    until(lambda: gone(workers))


def test_when_mlflow_run_is_killed_the_entry_point_stops_in_the_same_manner(workplace, hanging):
    process = mlflow_run(ROOT, "sweep", hanging)
    try:
        workers = spinning(workplace)
        parents = [each for each in psutil.Process(process.pid).children(recursive=True) if each not in workers]
        process.kill()  # it alone: what it has started lives on
        _, err = process.communicate(timeout=WAIT)
        until(lambda: gone([*workers, *parents]))
    finally:
        end(process)
    assert "interrupted (mlflow run, which began it, has ended)." in err.splitlines()
    assert f"go on    mlflow run {ROOT} -e sweep --env-manager local -P features=" in err
    assert "RUNNING" not in statuses(workplace)
    assert "KILLED" in statuses(workplace)


STUCK = """
import ctypes, sys
from entrypoints.command import interrupts
interrupts._CLEAN_UP = float(sys.argv[1])
libc, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(64)
with interrupts.raised(lambda interrupted: print("least", interrupted.reason, flush=True)):
    libc.pthread_mutex_lock(mutex)
    ready = iter(["ready"])
    while True:
        try:
            for word in ready:
                print(word, flush=True)
            libc.pthread_mutex_lock(mutex)  # it waits for itself, in compiled code and for ever
        except KeyboardInterrupt:
            pass
"""


@pytest.mark.parametrize(("patience", "presses"), [(0.5, 1), (600, 2)])
def test_compiled_code_that_does_not_end_is_not_waited_for(patience, presses):
    command = [sys.executable, "-c", STUCK, str(patience)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "ready\n"
        for _ in range(presses):
            process.send_signal(signal.SIGINT)
            time.sleep(0.5)
        assert process.stdout.read() == "least SIGINT\n"
        assert process.wait(timeout=WAIT) == 128 + signal.SIGINT
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("words", "typed"),
    [
        (["/venv/bin/python", "/venv/bin/mlflow", "run", ".", "-e", "sweep"], "mlflow run . -e sweep"),
        (["python", "-m", "mlflow", "run", ".", "-P", "space=my spec.yaml"], "mlflow run . -P 'space=my spec.yaml'"),
        (["bash", "-c", "python -m entrypoints.sweep"], None),
    ],
)
def test_what_was_typed_is_read_off_the_process(words, typed):
    assert _mlflow_run(words) == typed
