"""A fit may do what it likes: its candidate fails, saying how, and the others are judged as if it were not there."""

import os
import signal
import threading
import time
from concurrent.futures import CancelledError
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.tuning.unruly import Unruly
from tuning import Candidate, Dataset, Fit, Scorers, SweepSpec, Workload
from tuning.engines import LocalEngine, deaths
from tuning.engines import threads as fit_threads
from tuning.engines.processes import Processes, room
from tuning.engines.threads import Threads

pytestmark = pytest.mark.disturbs

WAIT = 240  # seconds, on a machine that does much else


def workload(**more):
    y = np.arange(60) % 3
    X = np.random.default_rng(0).normal(size=(60, 4)) + y[:, None]
    spec = SweepSpec(
        estimator="xgboost.XGBClassifier", grid={"max_depth": [2]}, scoring="accuracy", cv={"folds": 3, "seed": 0}
    )
    data = Dataset(X, y, np.unique(y))
    folds = Workload.for_spec(spec, data).folds
    return Workload(Unruly(), Scorers.named("accuracy"), data, folds, **more)


def fit(mood, fold=0, **params):
    return Fit(fold, (Candidate({"mood": mood, **params}),))


def errors(future):
    return [score.error for score in future.result(timeout=WAIT)]


@pytest.fixture(scope="module")
def processes():
    """Two workers that all tests of what a fit does to its process share: they come and go in any case."""
    opened = Processes(workload(), 2)
    yield opened
    opened.close(cancel=True)


@pytest.fixture(scope="module")
def threads():
    opened = Threads(workload(), 2)
    yield opened
    opened.close(cancel=True)


@pytest.mark.parametrize(
    ("mood", "said"),
    [
        ("raise", "ValueError: a mood of two lines"),
        ("exit", "SystemExit: I am leaving"),
        ("hoard", "MemoryError: "),
        ("interrupt", "KeyboardInterrupt: "),
    ],
)
def test_whatever_a_fit_raises_is_its_candidates_failure(processes, threads, mood, said):
    for pool in (processes, threads):
        bad, good = pool.submit(fit(mood)), pool.submit(fit("calm"))
        assert errors(bad) == [said]
        assert errors(good) == [None]


@pytest.mark.parametrize(
    ("mood", "said"),
    [
        ("leave", "its process ended with exit code 7, most likely by os._exit() in the estimator's own code"),
        ("crash", "its process ended with signal SIGSEGV in _crash (unruly.py, line "),
        ("starve", "its process ended with signal SIGKILL, most likely for lack of memory. Use fewer cores"),
    ],
)
def test_a_fit_that_ends_its_process_fails_after_a_second_try_alone(processes, tmp_path, mood, said):
    diary = str(tmp_path / "diary")
    others = [processes.submit(fit("calm", number=number)) for number in range(30)]
    bad = processes.submit(fit(mood, diary=diary))
    others += [processes.submit(fit("calm", number=number)) for number in range(30)]
    (error,) = errors(bad)
    assert error.startswith(said)
    assert [errors(other) for other in others] == [[None]] * 60
    tried = Path(diary).read_text().split()
    assert tried[::2] == [mood, mood]
    assert tried[1] != tried[3], "the second try is in another process"


def test_of_candidates_that_share_a_fit_only_the_guilty_one_fails(processes):
    moods = ["calm", "leave", "calm"]
    candidates = tuple(Candidate({"mood": mood, "number": place}) for place, mood in enumerate(moods))
    found = processes.submit(Fit(1, candidates)).result(timeout=WAIT)
    assert [score.candidate for score in found] == list(candidates)
    assert [bool(score.error) for score in found] == [False, True, False]


def test_a_fit_whose_process_ended_by_chance_is_simply_fitted_again(processes, tmp_path):
    assert errors(processes.submit(fit("stumble", diary=str(tmp_path / "diary")))) == [None]


def test_a_worker_that_is_killed_between_fits_is_missed_by_nobody(processes):
    assert errors(processes.submit(fit("calm"))) == [None]
    for worker in list(processes._workers):
        os.kill(worker._process.pid, signal.SIGKILL)
    assert [errors(processes.submit(fit("calm", fold))) for fold in range(3)] == [[None]] * 3


def test_a_worker_that_loses_much_memory_is_replaced(tmp_path):
    pool, diary = Processes(workload(), 1), str(tmp_path / "diary")
    for _ in range(2):
        assert errors(pool.submit(fit("leak", diary=diary))) == [None]
        time.sleep(1.1)  # how often a worker looks
    assert errors(pool.submit(fit("calm", diary=diary))) == [None]
    pool.close(cancel=False)
    first, _, last = (line.split()[1] for line in Path(diary).read_text().splitlines())
    assert first != last


def test_a_suspect_is_fitted_in_a_process_of_its_own_though_the_others_are_in_threads(tmp_path):
    diary = str(tmp_path / "diary")
    engine = LocalEngine(2)
    engine.open(workload())
    engine._pool.close(cancel=True)
    engine._pool = Threads(workload(), 2)
    bad = engine.submit(Fit(0, (Candidate({"mood": "leave", "diary": diary}),), apart=True))
    good = engine.submit(fit("calm", diary=diary))
    (error,) = errors(bad)
    assert "exit code 7" in error
    assert errors(good) == [None]
    engine.close()
    pids = {line.split()[0]: int(line.split()[1]) for line in Path(diary).read_text().splitlines()}
    assert pids["calm"] == os.getpid() != pids["leave"]
    assert len(Path(diary).read_text().splitlines()) == 2, "it was a suspect already, so there is no second try"


@pytest.mark.parametrize(("kind", "mood"), [(Processes, "sleep"), (Threads, "spin"), (Threads, "sleep")])
def test_a_fit_that_takes_too_long_fails_and_the_others_go_on(kind, mood):
    pool = kind(workload(max_fit_time=3.0), 1)
    before = len(fit_threads.left_behind())
    shared = Fit(0, (Candidate({"mood": mood}), Candidate({"mood": "calm"})))
    overdue, good = pool.submit(shared), pool.submit(fit("calm"))
    assert errors(overdue) == ["it took longer than budget.max_fit_time (3 s)", None]
    assert errors(good) == [None]
    pool.close(cancel=False)
    asleep = 2 if (kind, mood) == (Threads, "sleep") else 0  # once with the other candidate, once alone
    assert len(fit_threads.left_behind()) - before == asleep


@pytest.mark.parametrize("kind", [Processes, Threads])
def test_what_runs_can_be_given_up_and_the_pool_goes_on_until_it_is_closed_in_the_middle(kind, tmp_path):
    pool, diary, second = kind(workload(), 1), tmp_path / "diary", tmp_path / "second"
    hanging, waiting = pool.submit(fit("spin", diary=str(diary))), pool.submit(fit("calm"))
    wait_until(diary.exists)
    pool.give_up("it ran on")
    assert errors(hanging) == ["it ran on"]
    assert errors(waiting) == [None]
    hanging, waiting = pool.submit(fit("spin", diary=str(second))), pool.submit(fit("calm"))
    wait_until(second.exists)
    workers = [worker._process.pid for worker in pool._workers] if kind is Processes else []
    folder = getattr(pool, "_folder", None)
    pool.close(cancel=True)
    assert hanging.exception() is not None
    with pytest.raises(CancelledError):
        waiting.result()
    assert not any(psutil.pid_exists(pid) for pid in workers)
    assert folder is None or not folder.exists()


def test_what_is_queued_behind_a_fit_that_turns_out_long_goes_to_another_worker(processes, tmp_path):
    diary = tmp_path / "diary"
    for number in range(20):  # so short that others are sent after them before they have ended
        assert errors(processes.submit(fit("calm", number=number))) == [None]
    hanging = processes.submit(fit("spin", diary=str(diary)))
    others = [processes.submit(fit("calm", number=number)) for number in range(40)]
    assert [errors(other) for other in others] == [[None]] * 40
    assert not hanging.done()
    processes.give_up("that was enough")
    assert errors(hanging) == ["that was enough"]


def test_workers_end_when_their_parent_is_killed(tmp_path):
    diary = tmp_path / "diary"
    parent = psutil.Popen(
        [os.sys.executable, "-c", PARENT, str(diary)], cwd=Path(__file__).parents[2], start_new_session=True
    )
    try:
        wait_until(diary.exists)
        workers = parent.children(recursive=True)
        assert workers
        parent.kill()
        parent.wait()
        wait_until(lambda: not [each for each in workers if each.is_running() and each.status() != "zombie"])
    finally:
        if parent.is_running():
            parent.kill()


PARENT = """
import sys
from tests.tuning.test_isolation import fit, workload
from tuning.engines.processes import Processes
pool = Processes(workload(), 1)
pool.submit(fit("sleep", diary=sys.argv[1])).result()
"""


def test_scores_that_cannot_be_sent_are_a_failure():
    from tuning.engines.worker import SCORES, _pickled, cloudpickle
    from tuning.results.fold_score import FoldScore

    good, bad = FoldScore(Candidate({"mood": "calm"}), 0, {"accuracy": 1.0}), FoldScore(Candidate({}), 0)
    object.__setattr__(bad, "warning", threading.Lock())
    kind, (found, seconds) = cloudpickle.loads(_pickled([[good], [bad]], 1.0))
    assert (kind, seconds) == (SCORES, 1.0)
    assert found[0][0].scores == good.scores
    assert found[1][0].error.startswith("TypeError: cannot pickle")


def test_short_fits_travel_together_once_it_is_known_that_they_are_short():
    assert room(400, 0, None, 2) == 1
    assert room(400, 1, None, 2) == 0
    assert room(400, 0, 0.002, 2) == 100, "a fair share of what waits"
    assert room(4000, 0, 0.002, 2) == 150, "worth a fraction of a second"
    assert room(4000, 100, 0.002, 2) == 0, "enough for now"
    assert room(4000, 70, 0.002, 2) == 80
    assert room(3, 0, 0.002, 2) == 1, "the last ones end together"


def test_long_fits_travel_alone():
    assert room(40, 0, 2.0, 2) == 1
    assert room(40, 1, 2.0, 2) == 0


def test_how_a_process_ended_in_words():
    assert deaths.words(-9, starved=True).startswith("its process ended with signal SIGKILL: the machine has no more")
    assert deaths.words(-6) == (
        "its process ended with signal SIGABRT, most likely a fault in compiled code that the estimator calls"
    )
    assert deaths.words(-15) == "its process ended with signal SIGTERM"
    assert deaths.oom_kills() >= 0


def wait_until(answers):
    deadline = time.monotonic() + WAIT
    while not answers():
        assert time.monotonic() < deadline
        time.sleep(0.05)
