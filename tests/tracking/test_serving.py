"""A registered model answers over HTTP what it predicts in a process: behind MLflow's server, and in its container."""

from __future__ import annotations

import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest

from features.raw_devices import EXAMPLE
from tests.services import docker_engine, model_container, model_server, pip_settings
from tests.services.docker_engine import DockerEngine, inside_network_of
from tests.services.startup import require, shared_folder
from tests.tracking import small_model
from tests.tracking.conftest import VARIABLES
from tests.tracking.small_model import GROUPS
from tracking import EntryRun, store
from tracking.registry import RegisteredModel, log_and_register

Answer = tuple[int, dict[str, Any]]


@dataclass
class Served:
    """What answers requests, and the same model loaded here."""

    post: Callable[[object], Answer]
    model: Any


@pytest.fixture(scope="module")
def registered(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegisteredModel]:
    """A champion in a store of its own, which the environment names."""
    folder = tmp_path_factory.mktemp("served")
    shutil.copy(empty_database, folder / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        for name in VARIABLES:
            patch.delenv(name, raising=False)
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
        experiment = store.connect().create_experiment("served", artifact_location=(folder / "artifacts").as_uri())
        patch.setenv("MLFLOW_EXPERIMENT_ID", experiment)
        with EntryRun.begin("sweep") as run:
            model = log_and_register(run, small_model.fit()[0], "demographics", alias="champion")
        yield model


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerEngine]:
    """A Docker engine with the base image."""
    require(docker_engine.missing())
    rootfs = docker_engine.rootfs_shared_by(shared_folder(tmp_path_factory))
    with docker_engine.running(tmp_path_factory.mktemp("engine")) as running:
        running.load_base(rootfs)
        yield running


@pytest.fixture(scope="module", params=["server", "container"])
def served(
    request: pytest.FixtureRequest, registered: RegisteredModel, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """The champion where a person would put it."""
    model = mlflow.pyfunc.load_model(registered.uri)
    if request.param == "server":
        with model_server.running(registered.uri, tmp_path_factory.mktemp("server") / "log") as address:
            yield Served(lambda body: post(address, body), model)
        return
    engine = request.getfixturevalue("engine")
    pip = pip_settings.as_build(tmp_path_factory.mktemp("pip"))
    model_container.build(engine, registered.uri, "demographics", pip)
    with model_container.running(engine, "demographics") as container, inside_network_of(container):
        yield Served(lambda body: post(model_container.ADDRESS, body), model)


def post(address: str, body: object) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_it_answers_the_probabilities_by_name(served):
    status, answer = served.post({"dataframe_records": list(EXAMPLE)})
    assert status == 200
    assert [list(row) for row in answer["predictions"]] == [GROUPS] * len(EXAMPLE)
    assert len(GROUPS) == 12
    np.testing.assert_allclose([sum(row.values()) for row in answer["predictions"]], 1, rtol=1e-6)
    expected = served.model.predict(pd.DataFrame(list(EXAMPLE)))
    np.testing.assert_allclose([list(row.values()) for row in answer["predictions"]], expected.to_numpy(), rtol=1e-12)


def test_fields_may_be_missing_and_brands_unknown(served):
    status, answer = served.post({"dataframe_records": [{"phone_brand": "Nonesuch"}, {"device_model": "X"}]})
    assert (status, len(answer["predictions"])) == (200, 2)


def test_a_device_of_which_nothing_is_known_is_answered_as_well(served):
    status, answer = served.post({"dataframe_records": [{}, {}]})
    assert (status, len(answer["predictions"])) == (200, 2)
    expected = served.model.predict(pd.DataFrame([{}, {}])).to_numpy()
    np.testing.assert_allclose([list(row.values()) for row in answer["predictions"]], expected, rtol=1e-12)


def test_ids_of_64_bits_arrive_whole(served):
    columns = served.model._model_impl.preparation.columns["name"]
    app = max((int(name[4:]) for name in columns if name.startswith("app=")), key=abs)
    events = [{"timestamp": "2016-05-01 10:00:00", "apps": [app]}]
    assert app > 2**53 or app < -(2**53)
    _, answer = served.post({"dataframe_records": [{"events": events}]})
    expected = served.model.predict(pd.DataFrame({"events": [events]})).to_numpy()
    np.testing.assert_allclose([list(row.values()) for row in answer["predictions"]], expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ({"phone_brand": 5}, "phone_brand"),
        ({"events": 5}, "events"),
        ({"events": [{"apps": []}]}, "events[0]: timestamp is missing"),
        ({"events": [{"timestamp": "yesterday"}]}, "events[0].timestamp: 'yesterday'"),
        ({"events": [{"timestamp": "2016-05-01 10:00:00", "apps": ["x"]}]}, "events[0].apps"),
        ({"events": [{"timestamp": "2016-05-01 10:00:00", "apps": [True]}]}, "events[0].apps"),
        ({"brand": "vivo"}, "row 0: unknown field 'brand'. Did you mean 'phone_brand'?"),
    ],
)
def test_what_is_malformed_gets_400_and_the_name_of_the_field(served, row, named):
    status, answer = served.post({"dataframe_records": [row]})
    assert status == 400
    assert named in answer["message"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"rows": []}'])
def test_what_is_no_request_gets_400(served, body):
    assert served.post(body)[0] == 400
