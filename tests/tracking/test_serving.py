"""A registered model behind MLflow's own server answers over HTTP what it predicts in a process."""

from __future__ import annotations

import json
import shutil
import urllib.error
import urllib.request

import mlflow
import numpy as np
import pandas as pd
import pytest

from features.raw_devices import EXAMPLE
from tests.services import model_server
from tests.tracking import small_model
from tests.tracking.conftest import VARIABLES
from tests.tracking.small_model import GROUPS
from tracking import EntryRun, store
from tracking.registry import log_and_register


@pytest.fixture(scope="module")
def served(empty_database, tmp_path_factory):
    """The address of a served champion, and the same model loaded here."""
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
        with model_server.running(model.uri, folder / "log") as address:
            yield address, mlflow.pyfunc.load_model(model.uri)


def post(address: str, body: object) -> tuple[int, dict]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_it_answers_the_probabilities_by_name(served):
    address, model = served
    status, answer = post(address, {"dataframe_records": list(EXAMPLE)})
    assert status == 200
    assert [list(row) for row in answer["predictions"]] == [GROUPS] * len(EXAMPLE)
    expected = model.predict(pd.DataFrame(list(EXAMPLE)))
    np.testing.assert_allclose([list(row.values()) for row in answer["predictions"]], expected.to_numpy(), rtol=1e-12)


def test_fields_may_be_missing_and_brands_unknown(served):
    status, answer = post(served[0], {"dataframe_records": [{"phone_brand": "Nonesuch"}, {"device_model": "X"}]})
    assert (status, len(answer["predictions"])) == (200, 2)


def test_ids_of_64_bits_arrive_whole(served):
    address, model = served
    columns = model._model_impl.preparation.columns["name"]
    app = max((int(name[4:]) for name in columns if name.startswith("app=")), key=abs)
    events = [{"timestamp": "2016-05-01 10:00:00", "apps": [app]}]
    assert app > 2**53 or app < -(2**53)
    _, answer = post(address, {"dataframe_records": [{"events": events}]})
    expected = model.predict(pd.DataFrame({"events": [events]})).to_numpy()
    np.testing.assert_allclose([list(row.values()) for row in answer["predictions"]], expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ({"phone_brand": 5}, "phone_brand"),
        ({"events": 5}, "events"),
        ({"events": [{"apps": []}]}, "events[0]: timestamp is missing"),
        ({"events": [{"timestamp": "yesterday"}]}, "events[0].timestamp: 'yesterday'"),
        ({"events": [{"timestamp": "2016-05-01 10:00:00", "apps": ["x"]}]}, "events[0].apps"),
    ],
)
def test_what_is_malformed_gets_400_and_the_name_of_the_field(served, row, named):
    status, answer = post(served[0], {"dataframe_records": [row]})
    assert status == 400
    assert named in answer["message"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"rows": []}'])
def test_what_is_no_request_gets_400(served, body):
    assert post(served[0], body)[0] == 400
