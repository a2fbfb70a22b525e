"""The Spark engine on a real cluster of two Workers: the same scores, live, whatever happens to executors."""

import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xgboost as xgb
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from errors import EngineError
from tests.services.spark_cluster import kill, until
from tests.tuning.diaries import diaries, rows, spec
from tuning import Candidate, Dataset, Fit, SweepSpec, Workload, open_engine, sweep
from tuning.engines import SparkEngine
from tuning.engines.batches import Batch
from tuning.engines.spark import limits

pytestmark = pytest.mark.disturbs

ROOT = Path(__file__).parents[2]


@pytest.fixture
def diary(tmp_path, spark_session):
    """A workload of diaries, and a function that reads their lines."""
    with diaries(tmp_path) as pair:
        yield pair


@pytest.fixture
def engine(diary):
    """An engine that is open on the diaries."""
    opened = SparkEngine()
    opened.open(diary[0])
    yield opened
    opened.close(cancel=True)


def difference_from_grid_search(asked, estimator, data, engine):
    ours = sweep(asked, data, engine)
    assert not ours.failed
    folds = StratifiedKFold(3, shuffle=True, random_state=1)
    search = GridSearchCV(
        estimator.set_params(**asked.fixed), asked.grid, scoring=asked.scoring, cv=folds, refit=False
    ).fit(data.X, data.y)
    theirs = np.array([search.cv_results_[f"split{k}_test_score"] for k in range(3)]).T
    assert len(np.unique(theirs)) > 1
    return np.abs(ours.split_scores() - theirs).max()


def test_xgboost_scores_equal_those_of_grid_search_and_of_the_local_engine(spark_session):
    with open_engine("spark") as engine:
        assert difference_from_grid_search(spec(), xgb.XGBClassifier(n_jobs=1), rows(), engine) <= 1e-6
    with open_engine("local", 2) as local, open_engine("auto") as spark:
        assert spark.name == "spark"
        on_both = [sweep(spec(), rows(), engine).split_scores() for engine in (local, spark)]
    np.testing.assert_allclose(*on_both, rtol=0, atol=1e-6)


def test_other_estimators_equal_grid_search(spark_session):
    asked = spec(estimator="sklearn.linear_model.LogisticRegression", fixed={}, grid={"C": [0.1, 1.0, 10.0]})
    with open_engine("spark") as engine:
        assert difference_from_grid_search(asked, LogisticRegression(), rows(), engine) <= 1e-6


def test_what_an_estimator_raises_is_recorded_and_never_tried_again(engine, diary):
    bad = engine.submit(Fit(0, (Candidate({"mood": "raise"}),)))
    good = engine.submit(Fit(0, (Candidate({"mood": "calm"}),)))
    assert [score.error for score in bad.result(60)] == ["ValueError: a mood of two lines"]
    assert good.result(60)[0].error is None
    assert sum(line[2] == "raise" for line in diary[1]()) == 1
    state = engine.ledger.state()
    assert (state.waiting.n, state.running, state.pace.seen_work.n) == (0, (), 1), "one that failed tells no time"


def test_short_fits_travel_several_to_a_job_and_of_these_the_guilty_one_alone_fails(engine, spark_session, monkeypatch):
    monkeypatch.setattr("tuning.engines.spark.engine.SECONDS", 600.0)  # all are short, however busy the machine is
    engine.submit(Fit(0, (Candidate({"mood": "first"}),))).result(60)
    for mood in ("calm", "die"):
        futures = [
            engine.submit(Fit(n % 3, (Candidate({"mood": "calm" if n != 20 else mood, "number": n}),)))
            for n in range(40)
        ]
        errors = {n: future.result(120)[0].error for n, future in enumerate(futures)}
        jobs = spark_session.sparkContext.statusTracker().getJobIdsForGroup(engine._cluster._sweep)
        assert len(jobs) < (25 if mood == "calm" else 60)
        assert [n for n, error in errors.items() if error] == ([] if mood == "calm" else [20])
    assert errors[20].startswith("the fit ended its worker")
    assert "\n" not in errors[20]
    state = engine.ledger.state()
    assert (state.waiting.n, state.running) == (0, ())


def test_a_fit_that_takes_longer_than_it_may_is_ended(diary, spark_session):
    engine = SparkEngine()
    engine.open(replace(diary[0], max_fit_time=1.0))
    late = engine.submit(Fit(0, (Candidate({"seconds": 600.0}),)))
    in_time = engine.submit(Fit(1, (Candidate({"seconds": 0.0}),)))
    assert late.result(60)[0].error == "it took longer than budget.max_fit_time (1 s)"
    assert in_time.result(60)[0].error is None
    engine.close()


def with_both_workers_awake(engine, diary):
    """Fits, until each of the two has begun one: a busy machine may take its time to start a Python worker."""

    def awake():
        pair = [engine.submit(Fit(0, (Candidate({"mood": "waking", "seconds": 0.5, "number": n}),))) for n in range(2)]
        for future in pair:
            future.result(120)
        return len({pid for pid, _, _, _ in diary[1]()}) == 2

    until(awake, "one of the two Workers never began a fit")


def test_fits_start_in_the_order_of_submission(engine, diary):
    """All are in flight at once or nearly so; which of two neighbours begins first is the Workers' affair."""
    with_both_workers_awake(engine, diary)
    futures = [engine.submit(Fit(0, (Candidate({"mood": f"calm{n}", "seconds": 0.5}),))) for n in range(10)]
    for future in futures:
        future.result(60)
    begun = [int(mood.removeprefix("calm")) for _, _, mood, _ in diary[1]() if mood != "waking"]
    assert sorted(begun) == list(range(10))
    assert max(abs(place - n) for place, n in enumerate(begun)) <= 2


def test_results_come_as_each_fit_ends(engine, tmp_path):
    slow = engine.submit(Fit(0, (Candidate({"waits": str(tmp_path / "go")}),)))
    quick = [engine.submit(Fit(fold, (Candidate({"seconds": 0.0}),))) for fold in range(3)]
    for future in quick:
        future.result(60)
    assert not slow.done()
    (tmp_path / "go").touch()
    assert slow.result(60)[0].error is None


def test_python_workers_keep_the_data_from_fit_to_fit(engine, diary):
    futures = [engine.submit(Fit(n % 3, (Candidate({"number": n}),))) for n in range(8)]
    for future in futures:
        future.result(60)
    places = {(pid, data) for pid, _, _, data in diary[1]()}
    assert len(places) == len({pid for pid, _ in places}) <= 2


def test_an_executor_that_is_killed_costs_no_result(engine, diary, spark_cluster):
    def long_fits():
        return [int(pid) for pid, _, mood, _ in diary[1]() if mood == "long"]

    moods = [{"mood": "long", "seconds": 10.0}, *({"number": n} for n in range(5))]
    futures = [engine.submit(Fit(n % 3, (Candidate(mood),))) for n, mood in enumerate(moods)]
    [busy] = until(long_fits, "the long fit did not begin")
    kill(spark_cluster.executor_of(busy))
    assert [future.result(120)[0].error for future in futures] == [None] * 6
    assert len(long_fits()) == 2


def test_all_workers_are_lost_and_the_sweep_waits_for_others(engine, diary, spark_cluster):
    futures = [engine.submit(Fit(n % 3, (Candidate({"seconds": 1.5, "number": n}),))) for n in range(12)]
    until(diary[1], "no fit began")
    for _ in range(2):
        spark_cluster.lose_worker()
    for _ in range(2):
        spark_cluster.add_worker()
    assert [future.result(180)[0].error for future in futures] == [None] * 12
    newcomer = set(map(str, spark_cluster.python_workers()))
    assert len({pid for pid, *_ in diary[1]()} & newcomer) == 2


def test_cancelling_leaves_no_executor_busy(diary, spark_session):
    engine = SparkEngine()
    engine.open(diary[0])
    futures = [engine.submit(Fit(n % 3, (Candidate({"seconds": 600.0, "number": n}),))) for n in range(9)]
    until(lambda: len(diary[1]()) == 2, "the fits did not begin")
    busy = [int(pid) for pid, *_ in diary[1]()]
    engine.close(cancel=True)
    assert all(future.cancelled() or future.exception() is not None for future in futures)
    until(lambda: not [pid for pid in busy if Path(f"/proc/{pid}").exists()], "a worker still sleeps", seconds=5)
    assert spark_session.sparkContext.statusTracker().getActiveStageIds() == []


def test_a_dropped_fit_never_starts(engine, diary):
    futures = [engine.submit(Fit(0, (Candidate({"seconds": 0.5, "number": n}),))) for n in range(12)]
    dropped = [future for future in futures if future.cancel()]
    assert dropped
    for future in futures:
        assert future in dropped or future.result(60)
    assert len(diary[1]()) == 12 - len(dropped)


def test_a_task_is_small(spark_session):
    from pyspark import cloudpickle

    from tuning.engines.spark import classic

    cluster = classic.ClassicCluster(spark_session, "size")
    cluster.share(Workload.for_spec(spec(), rows(3000)))
    candidates = tuple(Candidate({"n_estimators": n, "max_depth": 6}) for n in range(100, 1000, 100))
    task = classic._task("size", cluster._broadcast, classic.pickle.dumps(Batch((Fit(0, candidates),))))
    assert len(cloudpickle.dumps(task)) < 4000
    cluster.close()


INTERRUPTED = """
    import sys
    import numpy as np
    from tuning import Dataset, SweepSpec, open_engine, sweep

    class Tell:
        def started(self, *_): ...
        def ended(self, _): ...
        def scored(self, _):
            print("scored", flush=True)

    y = np.arange(300) % 3
    data = Dataset(np.random.default_rng(0).normal(size=(300, 4)), y, np.unique(y))
    grid = {"n_estimators": [1_000_000], "gamma": [0.0, 1.0], "grow_policy": ["sideways", "depthwise"]}
    spec = SweepSpec(estimator="xgboost.XGBClassifier", grid=grid, scoring="accuracy", cv={"folds": 3})
    with open_engine("spark", 1, sys.argv[1]) as engine:
        sweep(spec, data, engine, [Tell()])
"""


def test_an_interrupted_driver_leaves_nothing_behind(spark_cluster):
    """A sweep whose first fits fail at once and whose next would never end."""
    spark_cluster.add_worker()
    driver = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(INTERRUPTED), spark_cluster.master],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert driver.stdout.readline() == "scored\n", driver.stderr.read()
    cores = spark_cluster.state()["coresused"]
    driver.send_signal(signal.SIGINT)
    _, said = driver.communicate(timeout=60)
    assert said.rstrip().endswith("KeyboardInterrupt")
    until(lambda: spark_cluster.state()["coresused"] == cores - 1, "the executor is still there", seconds=10)


def test_a_worker_without_a_package_is_named(spark_here, tmp_path):
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    said = driver_says("local[1]", PYSPARK_PYTHON=str(bare / "bin" / "python"))
    assert "worker" in said
    assert f"(its Python is {bare}/bin/python" in said
    assert "lacks the package '" in said


def test_a_worker_without_python_is_named(spark_here):
    assert "has no Python at /nowhere/python" in driver_says("local[1]", PYSPARK_PYTHON="/nowhere/python")


REFUSED = """
    import sys
    import numpy as np
    from errors import EngineError
    from tuning import Dataset, SweepSpec, Workload
    from tuning.engines import SparkEngine

    y = np.arange(300) % 3
    X = np.broadcast_to(np.zeros(1), (300, int(sys.argv[2])))
    spec = SweepSpec(estimator="xgboost.XGBClassifier", grid={"max_depth": [2]}, scoring="accuracy", cv={"folds": 3})
    engine = SparkEngine(0, sys.argv[1])
    try:
        engine.open(Workload.for_spec(spec, Dataset(X, y, np.unique(y))))
    except EngineError as error:
        print(error)
    engine.close(cancel=True)
"""


def driver_says(master, n_columns=4, **environment):
    """What the engine's refusal is, in a process of its own, since one process has one Java."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(REFUSED), master, str(n_columns)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )
    return done.stdout.strip()


def test_data_too_large_for_the_drivers_java_are_refused_before_they_are_sent(spark_here):
    said = driver_says("local[1]", n_columns=400_000)
    assert "spark.driver.memory" in said
    assert "the data take 916m" in said


def test_data_too_large_for_an_executors_java_are_refused_before_they_are_sent(spark_session):
    y = np.arange(300) % 3
    noise, nothing = (
        Workload.for_spec(spec(), Dataset(np.broadcast_to(row, (300, 300_000)), y, np.unique(y)))
        for row in (np.random.default_rng(0).normal(size=300_000), np.zeros(1))
    )
    with pytest.raises(EngineError, match=r"^the data take \d+m compressed, .* spark.executor.memory is 1g. Set it to"):
        limits.check_executors(spark_session.sparkContext, noise, limits.n_bytes(noise))
    limits.check_executors(
        spark_session.sparkContext, nothing, limits.n_bytes(nothing)
    )  # of which little is left when it is compressed


def test_data_without_room_on_the_drivers_disk_are_refused(tmp_path):
    with pytest.raises(EngineError, match=r"^the data take \d+m, and .* has \d+m left. Make room there, or set TMPDIR"):
        limits.check_disk(tmp_path, 2**60, "TMPDIR")
    limits.check_disk(tmp_path, 1, "TMPDIR")


def test_a_cluster_without_room_is_an_error_in_time(spark_session, diary, monkeypatch):
    monkeypatch.setattr("tuning.engines.spark.engine.STARTS_WITHIN", 2.0)
    busy = SparkEngine()
    monkeypatch.setattr(busy, "_try_a_worker", lambda *_: None)
    busy.open(diary[0])
    for number in range(2):
        busy.submit(Fit(0, (Candidate({"seconds": 600.0, "number": number}),)))
    until(lambda: len(diary[1]()) == 2, "the fits did not begin")
    late = SparkEngine()
    with pytest.raises(EngineError, match="gave no executor within 2 s"):
        late.open(diary[0])
    late.close(cancel=True)
    busy.close(cancel=True)


ON_WORKERS = """
from below_worked import VERSION
from sklearn.linear_model import LogisticRegression

class Worked(LogisticRegression):
    def fit(self, X, y):
        with open({diary!r}, "a") as diary:
            diary.write(f"{{VERSION}} {{__file__}}\\n")
        return super().fit(X, y)

def cost(y, predicted):
    return float((y != predicted).mean())
"""


def test_modules_beside_a_spec_reach_the_workers_and_an_edited_one_replaces_the_other(
    spark_session, tmp_path, monkeypatch
):
    """Named as a candidate's value and as a scorer; what the workers import lies in an archive that Spark brought."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    diary = tmp_path / "diary"
    asked = "estimator: [{m: sklearn.svm.SVC}]\ngrid: {m: [{class: worked.Worked}]}\ncv: {folds: 2}\n"
    asked += "scoring: {cost: {function: worked.cost, greater_is_better: false}}\n"
    (tmp_path / "spec.yaml").write_text(asked)
    (tmp_path / "worked.py").write_text(ON_WORKERS.format(diary=str(diary)))
    for version in (1, 2, 1):  # on one session, whose Python workers stay
        (tmp_path / "below_worked.py").write_text(f"VERSION = {version}\n")
        for name in ("worked", "below_worked"):
            sys.modules.pop(name, None)
        with open_engine("spark") as engine:
            assert not sweep(SweepSpec.load(tmp_path / "spec.yaml"), rows(), engine).failed
    lines = [line.split() for line in diary.read_text().splitlines()]
    assert [version for version, _ in lines] == list("112211")
    assert all("/modules-" in file and tmp_path not in Path(file).parents for _, file in lines)
