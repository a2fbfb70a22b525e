"""Secrets are named in the file and valued in the environment."""

from pathlib import Path

import pytest
from mlflow.exceptions import ExecutionException

from backends import secrets
from backends.dsvm.backend import DsvmBackend
from backends.failures import BackendError

ROOT = Path(__file__).parents[2]


def test_named_variables_are_taken_and_others_are_not():
    assert secrets.values(["A"], "dsvm", {"A": "1", "B": "2"}) == {"A": "1"}


def test_a_name_without_a_value_is_refused_with_what_to_type():
    with pytest.raises(BackendError, match=r"environment names A, which is not set here. Set it \(export A=...\)"):
        secrets.values(["A"], "dsvm", {})


def test_what_signs_in_to_a_tracking_server_goes_along():
    here = {"MLFLOW_TRACKING_TOKEN": "t", "MLFLOW_TRACKING_USERNAME": "", "HOME": "/"}
    assert secrets.tracking_credentials(here) == {"MLFLOW_TRACKING_TOKEN": "t"}


@pytest.mark.parametrize(
    ("params", "tracking_uri", "said"),
    [
        ({"data": "wasbs://d@a.net/x?sig=hunter2"}, "http://host", "-P data has a secret in it ('sig=')"),
        ({}, "http://me:hunter2@host", "MLFLOW_TRACKING_URI has a name or a password before '@'"),
    ],
)
def test_a_secret_in_a_parameter_or_an_address_is_refused_before_there_is_a_run(params, tracking_uri, said):
    with pytest.raises(ExecutionException) as caught:
        DsvmBackend().run(str(ROOT), "sweep", params, None, {}, tracking_uri, "0")
    assert str(caught.value).startswith(said)
    assert "hunter2" not in str(caught.value)
