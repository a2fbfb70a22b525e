"""A real Spark cluster for the tests of the engine that needs one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.services import spark_cluster as spark_service
from tests.services.spark_cluster import SparkCluster


@pytest.fixture(scope="session")
def spark_here() -> None:
    """pyspark and Java; absent on a bare machine, but never in CI."""
    reason = spark_service.lacking()
    if reason and os.environ.get("CI"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def spark_cluster(spark_here: None) -> Iterator[SparkCluster]:
    """A Master with two one-core Workers."""
    with SparkCluster(n_workers=2) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def spark_session(spark_cluster: SparkCluster) -> Iterator[Any]:
    """A session on that cluster, as a notebook has one before it asks for a sweep; it leaves a third Worker alone."""
    from tuning.engines.spark import session

    opened = session.start(spark_cluster.master, n_tasks=2)
    yield opened
    opened.stop()
