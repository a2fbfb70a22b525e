"""Whatever becomes of the store while a sweep is recorded, its record is whole afterwards, and not doubled."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy
from mlflow import MlflowClient
from mlflow.entities import Run

from errors import StoreAwayError, TrackingError
from tests.services import faulty_proxy
from tests.services.faulty_proxy import LOSE, MODES, REFUSE, SLOW, FaultyProxy
from tests.tracking.conftest import VARIABLES
from tests.tracking.outcomes import SPEC
from tracking import EntryRun, SweepRecorder, patience, registry, store
from tuning.results.sweep_result import SweepResult

pytestmark = pytest.mark.disturbs

ROOT = Path(__file__).parents[2]


def record(run: EntryRun, result: SweepResult, wait: float = 60) -> None:
    """Feed a whole sweep to a recorder, as one engine's worker would."""
    with SweepRecorder(run, wait) as recorder:
        recorder.started(SPEC, len(result.candidates), result.n_folds)
        for scores in result.fold_scores.values():
            recorder.scored(list(scores))
        recorder.ended(result)


def children(client: MlflowClient, parent: EntryRun) -> list[Run]:
    return client.search_runs([parent.experiment_id], f"tags.`mlflow.parentRunId` = '{parent.run_id}'")


def assert_whole(client: MlflowClient, parent: EntryRun, result: SweepResult) -> None:
    """Each candidate once, with each of its scores once, and everything ended."""
    found = children(client, parent)
    assert Counter(run.data.tags["candidate.key"] for run in found) == Counter(c.key for c in result.candidates)
    scores = {candidate.key: result.fold_scores[candidate] for candidate in result.candidates}
    for run in found:
        assert run.info.status == "FINISHED"
        for score in scores[run.data.tags["candidate.key"]]:
            history = client.get_metric_history(run.info.run_id, f"split{score.fold}_test_score")
            assert [metric.value for metric in history] == [score.scores["neg_log_loss"]]
        assert len(client.get_metric_history(run.info.run_id, "rank_test_score")) == 1
    assert client.get_run(parent.run_id).info.status == "FINISHED"


@pytest.fixture
def direct(server: str) -> MlflowClient:
    """A client that goes past the proxy."""
    return MlflowClient(server)


@pytest.fixture
def proxy(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    """A proxy before the server, which the environment names."""
    for name in (*VARIABLES, *patience._OURS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(patience, "_FIRST_PAUSE", 0.02)
    with faulty_proxy.running(server) as running:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", running.address)
        yield running


def first_of_each_kind(mode: str, times: int = 2) -> faulty_proxy.Wrong:
    """Let the first requests of each kind go wrong."""
    seen: Counter[tuple[str, str]] = Counter()

    def wrong(method: str, path: str, number: int) -> str | None:
        kind = method, path.rpartition("/")[2]
        seen[kind] += 1
        return mode if seen[kind] <= times else None

    return wrong


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != SLOW])
def test_a_fault_that_passes_loses_and_doubles_nothing(proxy, direct, four, mode):
    run = EntryRun.begin("sweep")
    proxy.wrong = first_of_each_kind(mode)
    with run:
        record(run, four)
        run.log_text("table", "cv_results.csv")
        run.log_params({"a": 1})
    proxy.wrong = None
    assert any(asked == mode for _, _, asked in proxy.asked)
    assert_whole(direct, run, four)
    assert Path(direct.download_artifacts(run.run_id, "cv_results.csv")).read_text() == "table"


@pytest.mark.parametrize("exists", [True, False])
def test_a_registered_model_that_this_person_may_not_write_to_is_refused_at_once(proxy, direct, exists):
    name = f"theirs-{exists}"
    if exists:
        direct.create_registered_model(name)
    proxy.wrong = lambda method, path, _: "403" if method != "GET" and "registered-models" in path else None
    with pytest.raises(TrackingError, match=rf"^the registered model '{name}': you may .* \(403\)\. Choose"):
        registry.check_registry(store.connect(), name)
    assert sum(mode == "403" for _, _, mode in proxy.asked) == 1


def test_an_answer_that_comes_too_late_is_not_a_second_child(proxy, direct, four, monkeypatch):
    """The server carries out what the client has given up, after it has been asked again."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    run = EntryRun.begin("sweep")
    proxy.wrong = first_slow = first_of_each_kind(SLOW, times=1)
    proxy.wrong = lambda method, path, number: first_slow(method, path, number) if path.endswith("create") else None
    first = four.candidates[0]
    with run, SweepRecorder(run, 60) as recorder:
        recorder.started(SPEC, 4, 2)
        recorder.scored(list(four.fold_scores[first]))
        wait_for(lambda: len(children(direct, run)) == 1)
        proxy.released.set()
        wait_for(lambda: len(children(direct, run)) == 2)
        for candidate in four.candidates[1:]:
            recorder.scored(list(four.fold_scores[candidate]))
        recorder.ended(four)
    assert_whole(direct, run, four)


def wait_for(condition, seconds: float = 60) -> None:
    pause = threading.Event()
    for _ in range(round(seconds / 0.05)):
        if condition():
            return
        pause.wait(0.05)
    raise AssertionError("it has not come about")


def test_the_entry_points_own_run_is_made_once_when_the_answer_is_lost(proxy, direct):
    proxy.wrong = first_of_each_kind(LOSE, times=1)
    with EntryRun.begin("sweep") as run:
        pass
    token = direct.get_run(run.run_id).data.tags["gridfold.request"]
    assert len(direct.search_runs([run.experiment_id], f"tags.`gridfold.request` = '{token}'")) == 1


def test_an_outage_is_told_when_it_begins_and_when_it_ends(proxy, four, monkeypatch, capsys):
    monkeypatch.setattr(patience, "_QUIET", 0.0)
    run = EntryRun.begin("sweep")
    run.patience.kept = "DIR"
    proxy.wrong = first_of_each_kind("503", times=3)
    with run, SweepRecorder(run, 60) as recorder:
        recorder.started(SPEC, 4, 2)
        recorder.scored(list(four.fold_scores[four.candidates[0]]))
        wait_for(lambda: proxy.count("POST", "create") > 4)
        proxy.wrong = None
        wait_for(lambda: proxy.count("POST", "log-batch") > 0)
    first, second, *_ = capsys.readouterr().err.splitlines()
    assert first == "record   the tracking server fails (503); fits go on, what is done is kept in DIR"
    assert second.startswith("record   the tracking server answers again, after ")


def test_fits_are_not_held_back_and_the_end_is_waited_for_as_long_as_allowed(proxy, direct, four):
    run = EntryRun.begin("sweep")
    proxy.wrong = lambda *_: REFUSE
    with pytest.raises(StoreAwayError, match=r"^the tracking server does not answer \(.*\), and was waited for \d"):
        record(run, four, wait=0.2)
    assert run.patience.given_up
    with pytest.raises(StoreAwayError):  # at once, since it was only just asked
        run.log_params({"a": 1})
    proxy.wrong = None
    assert children(direct, run) == []


@pytest.fixture
def heard() -> Iterator[None]:
    """SIGINT as a terminal has it: a process that was begun in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_ends_the_waiting(proxy, four, monkeypatch, heard):
    monkeypatch.setattr("tracking.recorder.LEAVING", 0.1)
    run = EntryRun.begin("sweep")
    run.patience._tell = lambda line: os.kill(os.getpid(), signal.SIGINT)
    monkeypatch.setattr(patience, "_QUIET", 0.1)
    proxy.wrong = lambda *_: REFUSE
    with pytest.raises(KeyboardInterrupt):
        record(run, four, wait=3600)


def test_a_store_that_cannot_be_reached_at_first_is_given_up_soon(monkeypatch):
    monkeypatch.setattr(patience, "OPENING", 0.1)
    monkeypatch.setattr(patience.Patience.__init__, "__defaults__", (0.1, None))
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(StoreAwayError, match=r"Check MLFLOW_TRACKING_URI, and that the server runs\.$"):
        EntryRun.begin("sweep")


# --- a database of one's own ------------------------------------------------------------------------------------------


@pytest.fixture
def impatient_database(client: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> sqlalchemy.Engine:
    """The test's database, which waits for locks for a moment, not for MLflow's 20 s."""
    monkeypatch.setattr(patience, "_QUIET", 0.1)

    def shortened(_c, _cursor, statement, parameters, _context, _many):
        return statement.replace("busy_timeout = 20000", "busy_timeout = 20"), parameters

    engine = client._tracking_client.store.engine
    sqlalchemy.event.listen(engine, "before_cursor_execute", shortened, retval=True)
    return engine


def test_a_locked_database_is_waited_for(client, four, impatient_database):
    run = EntryRun.begin("sweep")
    told = threading.Event()
    run.patience._tell = lambda line: told.set()
    holder = sqlite3.connect(impatient_database.url.database, check_same_thread=False)
    holder.execute("BEGIN EXCLUSIVE")
    unlock = threading.Thread(target=lambda: told.wait(60) and holder.rollback())
    unlock.start()
    with run:
        record(run, four)
    unlock.join()
    assert told.is_set()
    assert_whole(client, run, four)


def test_a_full_disk_under_the_database_is_waited_for(client, four, impatient_database):
    """By sqlite's own limit on the file's pages, which fails as a disk without a free block does."""
    run = EntryRun.begin("sweep")
    full = threading.Event()
    full.set()
    run.patience._tell = lambda line: full.clear()

    def limit(connection, _record, _proxy):
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages if full.is_set() else 10**6}")

    sqlalchemy.event.listen(impatient_database, "checkout", limit)
    with run:
        record(run, four)
        run.log_params({f"long{number}": "x" * 6000 for number in range(5)})  # more than the last page holds
    assert not full.is_set()
    assert_whole(client, run, four)


STARTERS = """
import os, sys
from tracking import EntryRun
def start():
    with EntryRun.begin("sweep") as run:
        print(run.run_id, flush=True)
workers = []
for _ in range(int(sys.argv[1])):
    if not (child := os.fork()):
        start()
        os._exit(0)
    workers.append(child)
sys.exit(any(os.waitpid(worker, 0)[1] for worker in workers))
"""


def test_an_empty_database_is_made_by_one_of_those_who_start_at_once(tmp_path):
    uri = f"sqlite:///{tmp_path}/new/mlflow.db"
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    ended = subprocess.run(
        [sys.executable, "-c", STARTERS, "8"],
        cwd=ROOT,
        env={**environment, "MLFLOW_TRACKING_URI": uri},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    runs = MlflowClient(uri).search_runs(["0"])
    assert sorted(ended.stdout.split()) == sorted(run.info.run_id for run in runs)
    assert [run.info.status for run in runs] == ["FINISHED"] * 8


def test_what_a_process_of_ours_sets_for_mlflow_yields_to_what_a_person_has_set(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "77")
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", raising=False)
    patience.own_waits()
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "77"
    assert os.environ.pop("MLFLOW_HTTP_REQUEST_MAX_RETRIES") == "0"
