"""Short fits that travel together: how many, and what becomes of those behind one that turns out to be long."""

import pickle

import pytest

from tests.services.spark_cluster import lacking
from tests.services.startup import require
from tests.tuning.diaries import diaries
from tuning import Candidate, Fit
from tuning.engines.batches import Batch, room
from tuning.engines.spark import worker
from tuning.engines.spark.answers import scores_in


@pytest.mark.parametrize(
    ("waiting", "queued", "seconds", "count"),
    [
        (1000, 0, None, 1),  # nobody knows how long they take
        (1000, 0, 0.01, 30),
        (1000, 0, 5.0, 1),
        (40, 0, 0.01, 5),  # what is left is shared, so that all workers end together
        (1, 0, 0.01, 1),
        (1000, 20, 0.01, 0),  # enough is queued
        (1000, 10, 0.01, 20),
        (1000, 1, None, 0),
    ],
)
def test_a_worker_gets_as_many_as_are_worth_a_fraction_of_a_second(waiting, queued, seconds, count):
    assert room(waiting, queued, seconds, workers=4) == count


def test_jobs_of_a_large_cluster_last_longer():
    assert room(100_000, 0, 0.01, workers=100, worth=2.0) == 200


def test_fits_behind_a_long_one_are_left_to_others(tmp_path, monkeypatch):
    require(lacking())
    from pyspark import cloudpickle

    monkeypatch.setattr(worker, "_kept", {})
    with diaries(tmp_path) as (workload, lines):
        packed = worker.PackedWorkload.pack("behind", workload, cloudpickle.dumps)
        fits = tuple(Fit(0, (Candidate({"mood": f"{seconds}", "seconds": seconds}),)) for seconds in (0.2, 0.0, 0.0))
        cut, whole = (
            worker.work("behind", lambda: packed, pickle.dumps(Batch(fits, enough))) for enough in (0.1, float("inf"))
        )
        assert [line[2] for line in lines()] == ["0.2", "0.2", "0.0", "0.0"]
    assert (len(cut), len(whole)) == (1, 3)
    assert [scores_in(answer)[0].error for answer in whole] == [None] * 3
    assert cut[0][2] >= 0.2
