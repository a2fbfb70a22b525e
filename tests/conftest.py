"""Fixtures that several rooms' tests share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from sources.synthetic import generate
from tests.services import azurite as azurite_service
from tests.services import browser as browser_service
from tests.services import mlflow_server
from tests.services.azurite import Azurite
from tests.services.startup import require

if TYPE_CHECKING:
    from selenium.webdriver import Chrome


_TOGETHER = {
    "backends/dsvm": "a Docker engine",
    "backends/hdinsight": "clusters",
    "backends/databricks_jobs": "clusters",
}
_FIRST = ("tests/backends/", "spark", "")  # services that start slowly; the rest in the order of the alphabet

# Java's second compiler pays after minutes, and none of what a test starts lives that long: a third less to wait.
os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With ``-n 2``, keep on one worker what shares a costly service, and else the tests of a file.

    A scheduler of our own, since pytest-xdist 3.8 finds no group of a test under pytest 9.2.
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByService(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0].removeprefix("tests/")
            return next((name for folder, name in _TOGETHER.items() if file.startswith(folder)), file)

    return ByService(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what waits longest, so that nobody waits for it in the end.

    In CI, let a test that disturbs have a second try, which the summary names; what is broken fails twice.
    """
    files = {item: item.nodeid.partition("::")[0] for item in items}
    items.sort(key=lambda item: next(place for place, word in enumerate(_FIRST) if word in files[item]))
    if os.environ.get("CI"):
        for item in items:
            if item.get_closest_marker("disturbs"):
                item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(autouse=True)
def _no_store_outlives_its_test() -> Iterator[None]:
    """Forget the store and the experiment that a test has set for the whole process.

    Setting back the store that was there before would pin that one.
    """
    yield
    os.environ.pop("MLFLOW_EXPERIMENT_ID", None)  # set_experiment() leaves it behind
    if "mlflow" in sys.modules:
        sys.modules["mlflow"].set_tracking_uri(None)
        sys.modules["mlflow.tracking.fluent"]._active_experiment_id = None


@pytest.fixture(scope="session")
def azurite_program() -> str:
    """The path of Azurite; absent on a bare machine, but never in CI."""
    program = azurite_service.find()
    require("" if program else "Azurite is not installed (npm install --global azurite)")
    return str(program)


@pytest.fixture(scope="session")
def azurite(azurite_program: str) -> Iterator[Azurite]:
    """A running emulator of Azure Blob Storage."""
    with azurite_service.running(azurite_program) as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Chrome]:
    """A browser that all tests of a worker share: open what you want to see, and ask for the width that you need."""
    require(browser_service.missing())
    with browser_service.running() as opened:
        yield opened


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running MLflow server."""
    with mlflow_server.running(tmp_path_factory.mktemp("server")) as address:
        yield address


@pytest.fixture(scope="session")
def synthetic_tables() -> dict[str, pl.DataFrame]:
    """The seven tables at a thousandth of the real size. Do not change them in place."""
    return dict(generate(scale=0.001, seed=0, leak=False))


@pytest.fixture(scope="session")
def synthetic_folder(synthetic_tables: dict[str, pl.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a folder of CSV files. Copy it before changing anything."""
    folder = tmp_path_factory.mktemp("synthetic")
    for name, frame in synthetic_tables.items():
        frame.write_csv(folder / f"{name}.csv", datetime_format="%Y-%m-%d %H:%M:%S")
    return folder
