"""What the driver does on the cluster, as a process that has nothing but the standard library."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from contextlib import redirect_stdout

import pytest

from backends.guest import driver
from backends.guest.command import module_of
from backends.guest.folders import Folder
from backends.guest.reach import UNREACHABLE
from tests.backends.cluster.conftest import NOTHING


def run(compute, work):
    """Run a job to its end; return its ending and log."""
    written = io.BytesIO()
    ending = compute.start(work, NOTHING).follow(written.write)
    return ending, written.getvalue().decode()


def test_a_module_runs_with_its_arguments_in_the_projects_folder(compute, work):
    text = "import os, sys\nprint(sys.argv[1:], os.environ['GREETING'], os.listdir())"
    ending, log = run(compute, work(text, "python -m job --space 'a b' --n 3"))
    assert (ending.exit_code, ending.reason) == (0, "")
    assert log == "['--space', 'a b', '--n', '3'] hello ['job.py']\n"


def test_a_module_runs_in_the_drivers_own_process(compute, work):
    text = "import os, sys\nprint(os.getpid(), any('driver.py' in word for word in sys.orig_argv))"
    started = compute.start(work(text), NOTHING)
    written = io.BytesIO()
    started.follow(written.write)
    [process] = compute.processes.values()
    assert written.getvalue().decode().split() == [str(process.pid), "True"]


def test_whatever_is_no_module_runs_in_a_shell(compute, work):
    ending, log = run(compute, work(command="echo one && echo two >&2; exit 5"))
    assert ending.exit_code == 5
    assert ending.reason == "the job failed with exit status 5: two"
    assert log == "one\ntwo\n"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("python -m a.b --x 'c; d'", ["a.b", "--x", "c; d"]),
        ("python3.11 -m a", ["a"]),
        ("python -m a --features '' --n 1", ["a", "--features", "", "--n", "1"]),
        ("python -m a && python -m b", []),
        ("python -m a > log", []),
        ("python a.py", []),
        ("bash -c 'python -m a'", []),
    ],
)
def test_what_counts_as_a_module(command, words):
    assert module_of(command) == words


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        ("import sys; sys.exit(3)", 3, "the job failed with exit status 3: it wrote no log"),
        ("import sys; print('why'); sys.exit(3)", 3, "the job failed with exit status 3: why"),
        ("import sys; sys.exit('why')", 1, "the job failed with exit status 1: why"),
        ("import absent", 1, "the job failed: ModuleNotFoundError: No module named 'absent'"),
        ("1 / 0", 1, "the job failed: ZeroDivisionError: division by zero"),
    ],
)
def test_how_a_job_fails(compute, work, text, code, reason):
    ending, _ = run(compute, work(text))
    assert (ending.exit_code, ending.reason) == (code, reason)


def test_other_processes_words_are_in_the_log_too(compute, work):
    text = "import os, subprocess\nsubprocess.run(['echo', 'from a child'])\nos.write(2, b'from below\\n')"
    _, log = run(compute, work(text))
    assert log == "from a child\nfrom below\n"


def test_a_process_left_running_does_not_hold_up_the_end(compute, work):
    ending, _ = run(compute, work("import subprocess\nsubprocess.Popen(['sleep', '60'])"))
    assert ending.exit_code == 0


def test_secrets_reach_the_job_and_nor_shared_folder(compute, work):
    text = (
        "import os, time\nword = os.environ['TOKEN']\nprint(word, flush=True)\n"
        "os.write(1, word[:6].encode()); time.sleep(1.5); os.write(1, word[6:].encode() + b' end')\n"
        "assert word == 'hunter2-hunter2'"
    )
    ending, log = run(compute, work(text, TOKEN="hunter2-hunter2"))
    assert ending.exit_code == 0, log
    assert log == "***\n*** end"
    assert not any(b"hunter2" in path.read_bytes() for path in compute.folder.rglob("*") if path.is_file())


def test_an_unreachable_tracking_server_is_said_before_anything_runs(compute, work):
    job = work("print('ran')")
    job = type(job)(**{**job.__dict__, "environment": {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}})
    ending, log = run(compute, job)
    assert ending.exit_code == UNREACHABLE
    assert "cannot be reached from the cluster (" in ending.reason
    assert log == ""


def test_a_driver_whose_orders_were_withdrawn_does_nothing(compute, tmp_path):
    with redirect_stdout(io.StringIO()) as said:
        assert driver.main([str(tmp_path), "run1"]) == 0
    assert "no orders" in said.getvalue()
    assert list(tmp_path.rglob("ending.json")) == []


def test_orders_are_taken_once(compute, work):
    started = compute.start(work("print('ran')"), NOTHING)
    started.follow(io.BytesIO().write)
    again = [sys.executable, str(compute.folder / "jobs/run1/driver.py"), str(compute.folder), "run1"]
    assert b"no orders" in subprocess.run(again, capture_output=True, check=True).stdout


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(("version", "helped"), [("3.3.1", True), ("3.3.1.5.1.1-1", True), ("3.4.0", False)])
def test_an_old_spark_is_given_a_newer_cloudpickle(compute, work, tmp_path, monkeypatch, version, helped, zipped):
    spark = {"pyspark/__init__.py": "", "pyspark/version.py": f"__version__: str = '{version}'"}
    spark["pyspark/cloudpickle/__init__.py"] = "name = 'old'"
    place = tmp_path / "spark.zip" if zipped else tmp_path / "spark"
    if zipped:
        with zipfile.ZipFile(place, "w") as archive:
            for name, text in spark.items():
                archive.writestr(name, text)
    else:
        for name, text in spark.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(place))
    ending, log = run(compute, work("from pyspark import cloudpickle\nprint(cloudpickle.__name__)"))
    assert ending.exit_code == 0, log
    assert log == ("cloudpickle\n" if helped else "pyspark.cloudpickle\n")


def test_the_ending_is_a_file_of_its_own(compute, work):
    run(compute, work("import sys; sys.exit(2)"))
    ending = json.loads((compute.folder / "jobs/run1/ending.json").read_text())
    assert ending == {"exit_code": 2, "reason": "the job failed with exit status 2: it wrote no log"}


def test_a_folder_that_cannot_rename_gets_its_files_all_the_same(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("Function not implemented")

    monkeypatch.setattr("os.replace", refuse)
    folder = Folder(str(tmp_path))
    folder.put("log/000001", b"one")
    assert folder.get("log/000001") == b"one"
    assert [path.name for path in (tmp_path / "log").iterdir()] == ["000001"]
